/** Text, or bytes of text that was compressed. */
export type Packed = string | ArrayBuffer;

/** Below, compression is not worth its time. */
const compressAbove = 10 * 1024;

/** Compressed where that is wanted, possible, and helps. */
export async function pack(text: string, compress: boolean): Promise<Packed> {
  if (!compress || text.length < compressAbove || typeof CompressionStream === 'undefined') return text;
  const bytes = await through(new Blob([text]), new CompressionStream('gzip')).arrayBuffer();
  return bytes.byteLength < text.length ? bytes : text;
}

export async function unpack(packed: Packed): Promise<string> {
  return typeof packed === 'string' ? packed : through(new Blob([packed]), new DecompressionStream('gzip')).text();
}

const through = (blob: Blob, stream: CompressionStream | DecompressionStream): Response =>
  new Response(blob.stream().pipeThrough(stream as ReadableWritablePair<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>));
