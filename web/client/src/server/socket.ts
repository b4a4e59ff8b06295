import { HubConnection, JsonHubProtocol, NullLogger } from '@microsoft/signalr';
import { protocol } from '../protocol.ts';

/** What SignalR's HubConnection calls a connection. The token is a JWT, or of letters, digits, '.', '-', '_' and '~'. */
class Socket {
  readonly features = {};
  readonly baseUrl: string;
  onreceive: ((data: string) => void) | null = null;
  onclose: ((error?: Error) => void) | null = null;
  private readonly token: string;
  private socket: WebSocket | undefined;

  constructor(url: string, token: string) {
    [this.baseUrl, this.token] = [url, token];
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      // A browser gives a WebSocket no header of its own, and writes the address of one that fails to its console.
      const socket = new WebSocket(this.baseUrl.replace(/^http/, 'ws'), ['chatterbox', `bearer.${this.token}`]);
      this.socket = socket;
      let isOpen = false;
      socket.onopen = () => {
        isOpen = true;
        resolve();
      };
      socket.onmessage = ({ data }) => this.onreceive?.(data as string);
      socket.onclose = ({ code }) => {
        const error = new Error(`The WebSocket has closed (${code}).`);
        if (isOpen) this.onclose?.(code === 1000 ? undefined : error);
        else reject(error);
      };
    });
  }

  async send(data: string): Promise<void> {
    if (this.socket?.readyState !== WebSocket.OPEN) throw new Error('The WebSocket is not open.');
    this.socket.send(data);
  }

  async stop(): Promise<void> {
    this.socket?.close();
  }
}

/**
 * SignalR's client upon a WebSocket, without negotiation, other transports, reconnects and logs: HubConnectionBuilder brings
 * those along, 8 KB of them, whether they are used or not. `create` is what it calls itself.
 */
export function hubConnection(url: string, token: string): HubConnection {
  const { create } = HubConnection as unknown as { create(...args: unknown[]): HubConnection };
  const [silence, ping] = [protocol.silenceSeconds * 1000, protocol.pingSeconds * 1000];
  return create(new Socket(url, token), NullLogger.instance, new JsonHubProtocol(), undefined, silence, ping);
}
