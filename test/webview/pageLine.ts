import type { Page } from 'playwright-core';
import { serve, type HandlerContext, type Handlers, type Methods, type Port } from '../../src/core/protocol/rpc';

/** The line between a page and a host in the test's process, as VS Code's webview API is for the page: messages cross as JSON, and the page's state stays when it is loaded anew. */
export class PageLine<M extends Methods & Record<'events', { readonly params: unknown; readonly result: null; readonly progress: unknown }>> {
  private receive: (message: unknown) => void = () => undefined;
  private events: ((event: M['events']['progress']) => void) | undefined;
  private readonly endings: (() => void)[] = [];
  private port: Port | undefined;

  /** @param handlers of the page's requests; its `events` request is {@link listen} */
  constructor(private readonly handlers: () => Handlers<M>) {}

  /** Serves the page, and the one after a reload. */
  async attach(page: Page): Promise<void> {
    const send = (message: unknown): void => {
      page.evaluate((data) => window.postMessage(JSON.parse(data), '*'), JSON.stringify(message)).catch(() => undefined);
    };
    await page.exposeFunction('toHost', (text: string) => {
      const message = JSON.parse(text) as { readonly kind: string };
      if (message.kind === 'hello') this.serve(send);
      else this.receive(message);
    });
    await page.addInitScript(() => {
      const toHost = (window as unknown as { readonly toHost: (text: string) => Promise<void> }).toHost;
      Object.assign(window, {
        acquireVsCodeApi: () => ({
          postMessage: (message: unknown) => void toHost(JSON.stringify(message)),
          getState: () => JSON.parse(sessionStorage.getItem('state') ?? 'null') as unknown,
          setState: (state: unknown) => sessionStorage.setItem('state', JSON.stringify(state)),
        }),
      });
    });
  }

  /** Answers the request that stays open until the next page comes. */
  readonly listen = (_params: unknown, { progress }: HandlerContext<M['events']['progress']>): Promise<null> => {
    this.events = progress;
    return new Promise((resolve) => this.endings.push(() => resolve(null)));
  };

  /** Tells a page that listens. */
  tell(event: M['events']['progress']): void {
    this.events?.(event);
  }

  private serve(send: (message: unknown) => void): void {
    const port: Port = {
      // an earlier page's answers would reach this one
      postMessage: (message) => {
        if (this.port === port) send(message);
      },
      onMessage: (listener) => void (this.receive = listener),
    };
    this.port = port;
    for (const end of this.endings.splice(0)) end();
    serve<M>(port, this.handlers());
  }
}
