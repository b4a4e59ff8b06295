import type { Channel, Platform } from '../sync/platform.ts';

/** A follower that hears nothing from its leader for so long takes over. */
const pongWithin = 2_000;
const pingEvery = 5_000;

type Message = { tab: string; lead: 'ping' | 'pong' | 'want' } | { tab: string; lead: 'yours'; to: string };

/**
 * Decides which tab of a browser has the connection: the holder of a Web Lock. A hidden leader hands over to a visible tab that
 * wants to lead; one that does not answer is deposed by stealing the lock. Two leaders for a moment are harmless: the session
 * knows a change by its client and sequence.
 */
export class Leadership {
  isLeading = false;

  private readonly platform: Platform;
  private readonly name: string;
  private readonly tab: string;
  private readonly channel: Channel;
  private readonly changed: (isLeading: boolean) => void;
  private readonly cancels: (() => void)[] = [];
  private release: (() => void) | undefined;
  private request: AbortController | undefined;
  private overdue: (() => void) | undefined;
  private isClosed = false;

  constructor(platform: Platform, name: string, tab: string, channel: Channel, changed: (isLeading: boolean) => void) {
    [this.platform, this.name, this.tab, this.channel, this.changed] = [platform, name, tab, channel, changed];
  }

  start(): void {
    this.ask({});
    this.cancels.push(this.platform.onWake(() => this.wake()));
    this.tick();
  }

  /** To be told of every message of the channel: those of the leader are signs of life. */
  hear(message: Message | { tab: string; fromLeader?: boolean }): void {
    if ('fromLeader' in message && message.fromLeader) this.relax();
    if (!('lead' in message)) return;
    switch (message.lead) {
      case 'ping':
        if (this.isLeading) this.post({ tab: this.tab, lead: 'pong' });
        break;
      case 'pong':
        this.relax();
        break;
      case 'want':
        if (!this.isLeading || !this.platform.isHidden()) break;
        this.resign();
        this.post({ tab: this.tab, lead: 'yours', to: message.tab });
        break;
      case 'yours':
        if (message.to === this.tab) this.ask({ steal: true });
        break;
    }
  }

  /** Asks the leader for a sign of life, and takes over when there is none. */
  check(): void {
    if (this.isLeading || this.isClosed || this.overdue) return;
    this.post({ tab: this.tab, lead: 'ping' });
    this.overdue = this.platform.clock.later(pongWithin, () => {
      this.overdue = undefined;
      // A hidden tab's timers are late: it might depose a leader that answered.
      if (!this.isLeading && !this.platform.isHidden()) this.ask({ steal: true });
    });
  }

  /** Gives the lead up, and stands behind the others for it. */
  resign(): void {
    if (!this.isLeading) return;
    this.release?.();
    this.set(false);
    this.ask({});
  }

  close(): void {
    this.isClosed = true;
    this.cancels.forEach(cancel => cancel());
    this.relax();
    this.request?.abort();
    this.release?.();
    this.set(false);
  }

  private ask(options: { steal?: boolean }): void {
    if (this.isClosed) return;
    this.request?.abort();
    const request = new AbortController();
    this.request = request;
    // A request that steals cannot be aborted.
    const lock = options.steal ? options : { signal: request.signal };
    this.platform
      .locks!.request(this.name, lock, () => {
        if (this.isClosed || this.request !== request) return Promise.resolve();
        const held = new Promise<void>(resolve => (this.release = resolve));
        this.relax();
        this.set(true);
        return held;
      })
      .catch(() => {
        // Stolen, or not wanted any more.
        if (this.request !== request || this.isClosed) return;
        this.set(false);
        this.ask({});
      });
  }

  private wake(): void {
    if (this.isLeading || this.platform.isHidden()) return;
    this.post({ tab: this.tab, lead: 'want' });
    this.check();
  }

  private tick(): void {
    const cancel = this.platform.clock.later(pingEvery, () => {
      this.cancels.splice(this.cancels.indexOf(cancel), 1);
      this.check();
      this.tick();
    });
    this.cancels.push(cancel);
  }

  private relax(): void {
    this.overdue?.();
    this.overdue = undefined;
  }

  private set(isLeading: boolean): void {
    if (this.isLeading === isLeading) return;
    this.isLeading = isLeading;
    this.changed(isLeading);
  }

  private post(message: Message): void {
    this.channel.post(message);
  }
}
