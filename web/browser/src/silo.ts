import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';
import { freePort } from './ports.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The silo's program, as it was built: Release where both are there, as by test.sh. */
export const siloProgram = ['Release', 'Debug']
  .map(configuration => join(root, 'Chatterbox.Silo/bin', configuration, 'net10.0/Chatterbox.Silo.dll'))
  .find(existsSync);

export interface Status {
  revision: number;
  durableRevision: number;
  clients: readonly { client: string; device: string }[];
}

/** The real silo, as its own process on free ports, with a data folder of its own. */
export class Silo {
  readonly port: number;
  private readonly ports: readonly number[];
  private readonly folder: string;
  private readonly settings: Record<string, string>;
  private process: ChildProcess | undefined;
  output = '';

  private constructor(ports: readonly number[], folder: string, settings: Record<string, string>) {
    [this.ports, this.folder, this.settings, this.port] = [ports, folder, settings, ports[2]!];
  }

  static async start(settings: Record<string, string> = {}): Promise<Silo> {
    const ports = [await freePort(), await freePort(), await freePort()];
    const silo = new Silo(ports, await mkdtemp(join(tmpdir(), 'chatterbox-browser-')), settings);
    await silo.startAgain();
    return silo;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Over the same data. */
  async startAgain(): Promise<void> {
    const [silo, gateway, web] = this.ports;
    this.process = spawn('dotnet', [siloProgram!], {
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        DOTNET_ENVIRONMENT: 'Development',
        ASPNETCORE_ENVIRONMENT: 'Development',
        ASPNETCORE_URLS: `http://127.0.0.1:${web}`,
        Chatterbox__Silo__Port: `${silo}`,
        Chatterbox__Gateway__Port: `${gateway}`,
        Chatterbox__Database__ConnectionString: `Data Source=${join(this.folder, 'chatterbox.db')}`,
        Chatterbox__Database__Fallback: join(this.folder, 'fallback.db'),
        ...Object.fromEntries(Object.entries(this.settings).map(([name, value]) => [`Chatterbox__${name}`, value])),
      },
    });
    for (const stream of [this.process.stdout!, this.process.stderr!]) stream.on('data', data => (this.output += data));
    await eventually(
      async () => {
        if (this.process!.exitCode !== null) throw new Error(`The silo has ended:\n${this.output}`);
        return (await fetch(`${this.url}/health/ready`)).ok;
      },
      isReady => isReady,
      60_000,
    );
  }

  /** SIGKILL: no time to save anything. */
  async kill(): Promise<void> {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }

  /** SIGTERM: it says bye to its pages, and saves every session. */
  async end(): Promise<void> {
    const exited = once(this.process!, 'exit');
    this.process!.kill('SIGTERM');
    await exited;
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  async token(user: string): Promise<string> {
    const response = await fetch(`${this.url}/dev/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user }),
    });
    return ((await response.json()) as { token: string }).token;
  }

  async get<T>(user: string, path: string, store = 'app-state'): Promise<T> {
    const response = await fetch(`${this.url}/api/sessions/${store}${path}`, {
      headers: { authorization: `Bearer ${await this.token(user)}` },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  status(user: string): Promise<Status> {
    return this.get(user, '/status');
  }

  async state(user: string): Promise<any> {
    return (await this.get<{ state: any }>(user, '')).state;
  }
}
