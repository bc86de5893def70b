/** Who this tab is. Kept per tab: two tabs are two people, and one that reloads stays who it was. */
import { byId, make } from "./dom.ts";

const KEY = "name";

const manners = [
  "Calm",
  "Quiet",
  "Bright",
  "Merry",
  "Gentle",
  "Swift",
  "Early",
  "Patient",
  "Curious",
  "Sunny",
];
const animals = ["Otter", "Heron", "Fox", "Wren", "Badger", "Lynx", "Finch", "Hare", "Seal", "Robin"];

/** This tab's name; asks for it when there is none. */
export async function myName(): Promise<string> {
  return sessionStorage.getItem(KEY) ?? (await askName(suggestion()));
}

/** Asks for another name. Unchanged when the dialog is left by Escape. */
export async function askName(suggested: string): Promise<string> {
  const dialog = byId("welcome", HTMLDialogElement);
  const input = dialog.querySelector("input");
  if (input === null) throw new Error("The welcome has no input");
  input.value = suggested;
  dialog.showModal();
  input.select();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  const name = input.value.trim().replaceAll(/\s+/g, " ") || suggested;
  sessionStorage.setItem(KEY, name);
  return name;
}

/** A round sign of a person, in a colour of their own. */
export function face(name: string): HTMLElement {
  const initials = name
    .split(" ")
    .slice(0, 2)
    .map((word) => [...word][0] ?? "");
  const element = make("span", { class: "face", "aria-hidden": "true" }, initials.join("").toUpperCase());
  element.style.setProperty("--hue", String(hueOf(name)));
  return element;
}

function hueOf(name: string): number {
  let hash = 7;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 3_600;
  return hash / 10;
}

function suggestion(): string {
  return `${anyOf(manners)} ${anyOf(animals)}`;
}

function anyOf(words: readonly string[]): string {
  return words[Math.floor(Math.random() * words.length)] ?? "";
}
