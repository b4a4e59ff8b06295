import { createServer, connect, type Server, type Socket } from 'node:net';
import { freePort } from './ports.ts';

/** A TCP proxy before a silo: cuts, stalls, throttles, or holds back what comes down. */
export class Proxy {
  readonly port: number;
  /** Connections whose silo's side has closed: as far as the silo is concerned they are over. */
  closed = 0;
  /** Bytes that came up, over all connections. */
  up = 0;

  private readonly target: () => number;
  private readonly pairs = new Set<[browser: Socket, silo: Socket]>();
  private server: Server | undefined;
  private isCut = false;
  private isHolding = false;
  /** Bytes a second that come down over one connection. */
  private rate = Infinity;
  /** Cuts everything once so many bytes came up. */
  private cutAfter = Infinity;

  private constructor(port: number, target: () => number) {
    [this.port, this.target] = [port, target];
  }

  static async before(target: () => number): Promise<Proxy> {
    const proxy = new Proxy(await freePort(), target);
    await proxy.listen();
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get open(): number {
    return this.pairs.size;
  }

  /** Ends every connection, and takes no other until it is healed. Resolves when the silo's sides are closed. */
  async cut(): Promise<void> {
    this.isCut = true;
    const silos = [...this.pairs].map(
      ([, silo]) => new Promise<void>(resolve => (silo.closed ? resolve() : silo.once('close', resolve))),
    );
    for (const [browser, silo] of this.pairs) {
      browser.resetAndDestroy();
      silo.destroy();
    }
    await Promise.all(silos);
  }

  heal(): void {
    [this.isCut, this.cutAfter] = [false, Infinity];
  }

  /** Nothing comes down any more; what goes up arrives. */
  hold(): void {
    this.isHolding = true;
    for (const [, silo] of this.pairs) silo.pause();
  }

  release(): void {
    this.isHolding = false;
    for (const [, silo] of this.pairs) silo.resume();
  }

  /** A slow line: bytes a second that come down over one connection. */
  throttle(rate: number): void {
    this.rate = rate;
  }

  cutOnceUp(bytes: number): void {
    this.cutAfter = this.up + bytes;
  }

  async stop(): Promise<void> {
    await this.cut();
    await new Promise<void>(resolve => this.server!.close(() => resolve()));
  }

  private listen(): Promise<void> {
    this.server = createServer(browser => {
      if (this.isCut) return void browser.resetAndDestroy();
      const silo = connect(this.target(), '127.0.0.1');
      const pair: [Socket, Socket] = [browser, silo];
      this.pairs.add(pair);
      browser.setNoDelay(true);
      silo.setNoDelay(true);
      browser.on('data', data => {
        this.up += data.length;
        silo.write(data);
        if (this.up > this.cutAfter) void this.cut();
      });
      silo.on('data', data => {
        if (this.isHolding) silo.pause();
        if (this.rate === Infinity) return void browser.write(data);
        silo.pause();
        setTimeout(
          () => {
            browser.write(data);
            if (!this.isHolding) silo.resume();
          },
          (data.length / this.rate) * 1000,
        );
      });
      const end = () => {
        browser.destroy();
        silo.destroy();
        if (this.pairs.delete(pair)) this.closed++;
      };
      for (const socket of pair) socket.on('error', end).on('close', end);
    });
    return new Promise(resolve => this.server!.listen(this.port, '127.0.0.1', resolve));
  }
}
