/** A real browser: Debian's Chromium, through playwright-core. */
import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const flags = [
  ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  // It would look for its maker's servers at every start.
  ["--disable-background-networking", "--disable-component-update", "--disable-sync"],
].flat();

/** Longest wait for anything that a page shows. */
const WAIT_MS = 20_000;

/** The browser, or why there is none. */
export function findChromium(): { readonly path: string } | { readonly missing: string } {
  const path = process.env.TROUPE_TEST_CHROMIUM || "/usr/bin/chromium";
  if (existsSync(path)) return { path };
  return { missing: process.env.TROUPE_TEST_CHROMIUM_WHY || "Chromium is not installed" };
}

/** A browser with an empty profile, and what its pages complained about. */
export class Chromium implements AsyncDisposable {
  /** Errors of the pages' scripts and consoles. */
  readonly complaints: string[] = [];
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async launch(path: string): Promise<Chromium> {
    return new Chromium(await chromium.launch({ executablePath: path, args: flags }));
  }

  /** A tab with storage of its own. */
  async open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext(options);
    context.setDefaultTimeout(WAIT_MS);
    const page = await context.newPage();
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
    await page.goto(url);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}
