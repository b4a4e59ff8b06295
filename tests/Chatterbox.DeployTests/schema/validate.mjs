// Reads manifests as YAML from standard input; prints a line for each object that its schema refuses, and exits with 1 if there is one.
import { parseAllDocuments } from 'yaml';

let text = '';
for await (const part of process.stdin) text += part;

let refused = 0;
for (const document of parseAllDocuments(text)) {
  const object = document.toJS();
  if (object === null) continue;
  // kustomize breaks long Base64 into lines, which the API server takes and the format 'byte' does not.
  if (object.kind === 'Secret') for (const key in object.data) object.data[key] = object.data[key].replace(/\s/g, '');
  const name = `${object.kind} ${object.metadata?.name}`;
  try {
    const kinds = await import(`kubernetes-models/${object.apiVersion}`);
    if (!(object.kind in kinds)) throw new Error(`${object.apiVersion} has no kind ${object.kind}`);
    new kinds[object.kind](object).validate();
  } catch (problem) {
    refused++;
    console.log(`${name}: ${problem.message}`);
  }
}
process.exit(refused === 0 ? 0 : 1);
