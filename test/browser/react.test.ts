/** docs/react.md in a real browser: rendered on a server, hydrated, connected, cut off, and closed. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { type Registry, setup } from "troupe";
import { createClient } from "troupe/client";
import { expect, test } from "vitest";
import { Chromium, findChromium } from "./chromium.ts";
import { browserScript, serverHtml } from "./react/bundle.ts";
import { room } from "./react/room.ts";

/** A server at one address for all its lives, with the page. */
class Site implements AsyncDisposable {
  readonly html: string;
  readonly #script: string;
  readonly #dataDir = mkdtempSync(join(tmpdir(), "troupe-react-"));
  #registry: Registry<{ room: typeof room }> | undefined;
  endpoint = "";

  private constructor(html: string, script: string) {
    this.html = html;
    this.#script = script;
  }

  static async open(): Promise<Site> {
    const site = new Site(await serverHtml(), await browserScript());
    await site.start(0);
    return site;
  }

  async start(port = Number(new URL(this.endpoint).port)): Promise<void> {
    this.#registry = setup({ use: { room }, fetch: (request) => this.#answer(request) });
    const options = { port, dataDir: this.#dataDir, signals: false, banner: false };
    this.endpoint = (await this.#registry.start(options)).endpoint;
  }

  async stop(): Promise<void> {
    await this.#registry?.stop();
  }

  #answer(request: Request): Response {
    const [type, body] =
      new URL(request.url).pathname === "/page.js"
        ? ["text/javascript", this.#script]
        : [
            "text/html",
            `<!doctype html><link rel="icon" href="data:,"><div id="root">${this.html}</div><script type="module" src="/page.js"></script>`,
          ];
    return new Response(body, { headers: { "content-type": `${type}; charset=utf-8` } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}

/** One of the page's places for a component. */
function place(page: Page, label: string) {
  const article = page.getByRole("article", { name: label });
  const has = (role: "status" | "alert" | "listitem", text: string): Promise<void> =>
    article
      .getByRole(role)
      .filter({ hasText: new RegExp(`^${text}$`) })
      .waitFor();
  const press = (name: string): Promise<void> => article.getByRole("button", { name }).click();
  const status: Locator = article.getByRole("status");
  return { article, has, press, status };
}

/** How many WebSockets a page has opened and closed. */
function socketsOf(page: Page): { opened: number; closed: number } {
  const count = { opened: 0, closed: 0 };
  page.on("websocket", (socket) => {
    // The socket of an attempt that failed never carries a frame.
    socket.once("framereceived", () => {
      count.opened += 1;
      socket.once("close", () => {
        count.closed += 1;
      });
    });
  });
  return count;
}

test.each(["room.ts", "room.tsx"])("the documentation shows %s as it is", (name) => {
  const page = readFileSync(new URL("../../docs/react.md", import.meta.url), "utf8");
  expect(page).toContain(readFileSync(new URL(`react/${name}`, import.meta.url), "utf8"));
});

test("components share a connection through StrictMode, a restart and unmounts; hydration finds what the server rendered", async (context) => {
  const found = findChromium();
  if ("missing" in found) return context.skip(found.missing);
  await using site = await Site.open();
  expect(site.html.match(/<p role="status">idle<\/p>/g)).toHaveLength(3);
  await using chromium = await Chromium.launch(found.path);
  const page = await chromium.open("about:blank");
  const sockets = socketsOf(page);
  await page.goto(site.endpoint);
  const [first, second, off] = [place(page, "first"), place(page, "second"), place(page, "off")];
  await Promise.all([first.has("status", "connected"), second.has("status", "connected")]);
  expect(await off.status.textContent()).toBe("idle");
  // Two components, mounted twice each by StrictMode.
  expect(sockets).toEqual({ opened: 1, closed: 0 });

  await first.press("Say hello");
  await Promise.all([first.has("listitem", "hello 0"), second.has("listitem", "hello 0")]);
  expect(await second.article.getByRole("listitem").count()).toBe(1);

  await site.stop();
  await expect.poll(() => first.status.textContent(), { timeout: 10_000 }).not.toBe("connected");

  await site.start();
  await Promise.all([first.has("status", "connected"), second.has("status", "connected")]);

  expect(sockets).toEqual({ opened: 2, closed: 1 });
  // The subscription is in force again, and the handler is that of the newest render.
  await second.press("Say hello");
  await Promise.all([first.has("listitem", "hello 1"), second.has("listitem", "hello 1")]);

  await second.press("Switch");
  await second.status.waitFor({ state: "detached" });
  // The only one goes, and one comes, in one commit.
  await first.press("Mount anew");
  await first.has("listitem", "hello 1");
  await first.press("Say hello");
  await first.has("listitem", "hello 2");
  await first.press("Say hello");
  await first.has("alert", "The room is full");
  expect(sockets).toEqual({ opened: 2, closed: 1 });
  await first.press("Switch");
  await expect.poll(() => sockets, { timeout: 10_000 }).toEqual({ opened: 2, closed: 2 });

  // One that wasn't enabled is, and isn't any more.
  await off.press("Enable");
  await off.has("listitem", "hello 2");
  await off.press("Enable");
  await off.has("status", "idle");
  await expect.poll(() => sockets, { timeout: 10_000 }).toEqual({ opened: 3, closed: 3 });

  // A mismatch of hydration, an update loop or a duplicate key would be here.
  expect(chromium.complaints.filter((text) => !text.includes("ERR_CONNECTION_REFUSED"))).toEqual([]);
  await using client = createClient<Registry<{ room: typeof room }>>(site.endpoint);
  expect(await client.room.get(["rooms", "lobby"]).texts()).toEqual(["hello 0", "hello 1", "hello 2"]);
}, 90_000);
