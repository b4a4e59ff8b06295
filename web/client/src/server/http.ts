import type { Problem } from '../protocol.ts';
import { TransportError, type Trouble } from '../sync/transport.ts';
import type { Tokens } from './tokens.ts';

export interface Request {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  json?: unknown;
  body?: BodyInit;
  signal?: AbortSignal | undefined;
  headers?: Record<string, string>;
}

/** A request that was answered, and refused. */
export class HttpError extends TransportError {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(troubleOf(problem.status), problem.detail ?? problem.title);
    this.problem = problem;
  }
}

/** The gateway's HTTP side. */
export class Http {
  /** Without a slash at its end. */
  readonly url: string;
  private readonly tokens: Tokens;

  constructor(url: string, tokens: Tokens) {
    [this.url, this.tokens] = [new URL(url, globalThis.location?.href).href.replace(/\/$/, ''), tokens];
  }

  async json<T>(path: string, request?: Request): Promise<T> {
    return (await this.send(path, request)).json() as Promise<T>;
  }

  /** Rejects with {@link HttpError} unless the answer is good, and with {@link TransportError} without one. */
  async send(path: string, request: Request = {}): Promise<Response> {
    const token = await this.tokens.get();
    const response = await this.once(path, request, token);
    if (response.status !== 401) return check(response);
    // It may have expired on the way.
    this.tokens.drop(token);
    return check(await this.once(path, request, await this.tokens.get()));
  }

  private async once(path: string, { method, json, body, signal, headers }: Request, token: string): Promise<Response> {
    try {
      return await fetch(`${this.url}${path}`, {
        method: method ?? (json === undefined && body === undefined ? 'GET' : 'POST'),
        headers: {
          ...headers,
          authorization: `Bearer ${token}`,
          ...(json !== undefined && { 'content-type': 'application/json' }),
        },
        body: json === undefined ? (body ?? null) : JSON.stringify(json),
        signal: signal ?? null,
        credentials: 'omit',
      });
    } catch (failure) {
      if (signal?.aborted) throw signal.reason;
      throw new TransportError('gone', (failure as Error).message);
    }
  }
}

async function check(response: Response): Promise<Response> {
  if (response.ok) return response;
  const text = await response.text().catch(() => '');
  let problem: Problem = { title: response.statusText || `Status ${response.status}`, status: response.status };
  try {
    problem = { ...problem, ...(JSON.parse(text) as Problem) };
  } catch {
    // Not from the gateway: a proxy's.
  }
  throw new HttpError(problem);
}

function troubleOf(status: number): Trouble {
  if (status === 401 || status === 403) return 'needs-auth';
  if (status === 429) return 'limited';
  return status >= 500 ? 'unavailable' : 'invalid';
}
