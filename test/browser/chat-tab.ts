/** A tab of the chat room, in the words of who sits before it. Everything waits for what it needs to see. */
import type { Locator, Page } from "playwright-core";
import type { Chromium } from "./chromium.ts";

export class ChatTab {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  static async open(chromium: Chromium, url: string, name: string): Promise<ChatTab> {
    const tab = new ChatTab(await chromium.open(url));
    await tab.page.getByLabel("Your name").fill(name);
    await tab.page.getByRole("button", { name: "Come in" }).click();
    await tab.connected();
    return tab;
  }

  async connected(): Promise<void> {
    await this.#status("Connected").waitFor();
  }

  async reconnecting(): Promise<void> {
    await this.#status("Reconnecting…").waitFor();
  }

  async say(text: string): Promise<void> {
    await this.#input.fill(text);
    await this.#input.press("Enter");
  }

  /** Faster than anybody types. */
  async sayAtOnce(texts: readonly string[]): Promise<void> {
    await this.#input.evaluate((input, all) => {
      if (!(input instanceof HTMLTextAreaElement))
        throw new TypeError("The message is written in a textarea");
      for (const text of all) {
        input.value = text;
        input.form?.requestSubmit();
      }
    }, texts);
  }

  /** Tries everything that was refused again, until the room has it all. */
  async tryAgainUntilSent(): Promise<void> {
    const attempt = (): boolean => {
      document.querySelector<HTMLElement>(".failed button")?.click();
      return document.querySelector(".draft") === null;
    };
    await this.page.waitForFunction(attempt, undefined, { polling: 250 });
  }

  /** Presses keys and sends nothing. */
  async begin(text: string): Promise<void> {
    await this.#input.pressSequentially(text);
  }

  /** A message that the room has acknowledged. */
  async sees(text: string, from: "mine" | "theirs"): Promise<void> {
    const kind = from === "mine" ? ".message.mine:not(.draft)" : ".message:not(.mine)";
    await this.page.locator(kind, { hasText: text }).waitFor();
  }

  async seesPending(text: string): Promise<void> {
    await this.page.locator(".message.draft", { hasText: text }).waitFor();
  }

  async seesTyping(name: string): Promise<void> {
    await this.page.locator("#typing", { hasText: `${name} is writing…` }).waitFor();
  }

  async seesTypingEnd(): Promise<void> {
    await this.page.locator("#typing:empty").waitFor({ state: "attached" });
  }

  /** A line between the messages. */
  async seesNote(text: string): Promise<void> {
    await this.page.locator(".line", { hasText: text }).waitFor();
  }

  async seesUnread(room: string, count: number): Promise<void> {
    await this.#room(room).getByLabel(`${count} unread`).waitFor();
  }

  async goTo(room: string): Promise<void> {
    await this.#room(room).click();
    await this.page.getByRole("heading", { name: room }).waitFor();
    await this.connected();
  }

  /** Waits until exactly these people are in the list, in its order. */
  async seesPeople(...people: string[]): Promise<void> {
    const matches = (wanted: string): boolean => {
      const shown = [...document.querySelectorAll("#people .person")].map((person) => person.textContent);
      return JSON.stringify(shown) === wanted;
    };
    await this.page.waitForFunction(matches, JSON.stringify(people), { polling: 50 });
  }

  /** Every message on the page, in its order. */
  texts(): Promise<string[]> {
    return this.page.locator(".message .text").allTextContents();
  }

  get #input(): Locator {
    return this.page.getByLabel("Message", { exact: true });
  }

  #status(text: string): Locator {
    return this.page.locator("#status", { hasText: text });
  }

  #room(name: string): Locator {
    return this.page.getByRole("navigation", { name: "Rooms" }).getByRole("link", { name });
  }
}
