import type { HubConnection, HubConnectionState } from '@microsoft/signalr';
import {
  protocol,
  type ApplyAnswer,
  type AttachAnswer,
  type BehindPush,
  type ByePush,
  type EventsPush,
  type HelloAnswer,
  type Hub,
  type SnapshotAnswer,
  type StateAnswer,
} from '../protocol.ts';
import type { ApplyReply, AttachReply, CatchUp, ChangeBatch, SessionEvents } from '../sync/messages.ts';
import type { Clock } from '../sync/platform.ts';
import { messageOf } from '../rejection.ts';
import { TransportError, type ClosedBecause, type Connection, type ConnectionEvents, type Transport } from '../sync/transport.ts';
import type { Http } from './http.ts';
import { hubConnection } from './socket.ts';
import type { Tokens } from './tokens.ts';

/** Reaches a session through the gateway: small things over a WebSocket, large ones by HTTP. */
export class HubTransport<C> implements Transport<C> {
  private readonly store: string;
  private readonly http: Http;
  private readonly tokens: Tokens;
  private readonly clock: Clock;
  /** Rejects a token that is not of the user whose changes are kept here. */
  private readonly check: (token: string) => void;

  constructor(store: string, http: Http, tokens: Tokens, clock: Clock, check: (token: string) => void) {
    [this.store, this.http, this.tokens, this.clock, this.check] = [store, http, tokens, clock, check];
  }

  async open(on: ConnectionEvents<C>): Promise<Connection<C>> {
    const token = await this.tokens.get();
    this.check(token);
    const hub = hubConnection(`${this.http.url}/hub`, token);
    const line = new Line<C>(hub, this.store, this.http, on);
    try {
      await hub.start();
    } catch (failure) {
      throw await this.reasonOf(failure);
    }
    try {
      const { refused, user } = await line.call<HelloAnswer>('Hello', { protocol: protocol.version });
      if (refused) throw new TransportError('refused', messageOf(refused));
      line.cancelRenewal = this.renewEarly(line);
      return Object.assign(line, { user });
    } catch (failure) {
      line.close();
      throw failure;
    }
  }

  // A new connection takes over before the token of this one expires.
  private renewEarly(line: Line<C>): (() => void) | undefined {
    const due = this.tokens.renewIn;
    // A timer that is longer fires at once.
    if (due === undefined || due > 2 ** 31 - 1) return undefined;
    return this.clock.later(due, () => {
      // Where there is no new token yet, the old one is good for a while.
      this.tokens.renew().then(
        () => line.end('expired'),
        () => undefined,
      );
    });
  }

  // A browser does not say why a WebSocket was refused; an answer by HTTP does.
  private async reasonOf(failure: unknown): Promise<TransportError> {
    try {
      await this.http.json(`/api/sessions/${this.store}/status`);
    } catch (why) {
      if (why instanceof TransportError) return why.trouble === 'invalid' ? new TransportError('refused', why.message) : why;
    }
    return new TransportError('gone', (failure as Error).message);
  }
}

class Line<C> implements Connection<C> {
  cancelRenewal: (() => void) | undefined;

  private readonly hub: HubConnection;
  private readonly store: string;
  private readonly http: Http;
  private readonly on: ConnectionEvents<C>;
  private hasEnded = false;

  constructor(hub: HubConnection, store: string, http: Http, on: ConnectionEvents<C>) {
    [this.hub, this.store, this.http, this.on] = [hub, store, http, on];
    hub.on('events', ({ store: of, epoch, events }: EventsPush) => {
      if (of === store) on.events({ epoch, events } as unknown as SessionEvents<C>);
    });
    hub.on('behind', ({ store: of, epoch, revision }: BehindPush) => {
      if (of === store) on.behind(epoch, revision);
    });
    hub.on('bye', ({ reason, store: of }: ByePush) => {
      if (of === undefined || of === store) this.end(reason);
    });
    hub.onclose(() => this.end('gone'));
  }

  attach(request: Parameters<Connection<C>['attach']>[0]): Promise<AttachReply<C>> {
    const reply = this.call<AttachAnswer>('Attach', { store: this.store, ...request });
    return reply as Promise<unknown> as Promise<AttachReply<C>>;
  }

  apply(batch: ChangeBatch<C>): Promise<ApplyReply> {
    const isLarge = new TextEncoder().encode(JSON.stringify(batch.changes)).length > protocol.inlineBytes;
    const reply = isLarge
      ? this.http.json<ApplyAnswer>(`/api/sessions/${this.store}/changes`, { json: batch })
      : this.call<ApplyAnswer>('Apply', { store: this.store, ...batch });
    return reply as Promise<ApplyReply>;
  }

  since(epoch: number, revision: number): Promise<CatchUp<C>> {
    const reply = this.call<StateAnswer>('Since', { store: this.store, epoch, revision });
    return reply as Promise<unknown> as Promise<CatchUp<C>>;
  }

  snapshot(slices?: readonly string[]): Promise<SnapshotAnswer> {
    const query = slices ? `?slices=${slices.join(',')}` : '';
    return this.http.json(`/api/sessions/${this.store}${query}`);
  }

  async call<T>(method: keyof Hub, call: object): Promise<T> {
    if (this.hub.state !== ('Connected' satisfies `${HubConnectionState}`))
      throw new TransportError('gone', 'The connection has ended.');
    try {
      return await this.hub.invoke<T>(method, call);
    } catch (failure) {
      throw hubError(failure as Error);
    }
  }

  close(): void {
    this.hasEnded = true;
    this.cancelRenewal?.();
    void this.hub.stop();
  }

  end(why: ClosedBecause): void {
    if (this.hasEnded) return;
    this.close();
    this.on.closed(why);
  }
}

/** The gateway's errors begin with a code; SignalR puts words of its own before it. */
function hubError({ message }: Error): TransportError {
  const [, trouble, why] = /\b(invalid|unavailable|limited): ([^]*)$/.exec(message) ?? [];
  return trouble ? new TransportError(trouble as 'invalid', why!) : new TransportError('gone', message);
}
