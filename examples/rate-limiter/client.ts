/** Asks faster than it may; somebody else isn't held up by that. */
const endpoint = process.argv[2] ?? "http://127.0.0.1:6420";

async function ask(caller: string): Promise<string> {
  const response = await fetch(`${endpoint}/quote`, { headers: { "x-api-key": caller } });
  return `${caller}: ${response.status} ${(await response.text()).trim()}`;
}

for (let n = 0; n < 6; n++) console.log(await ask("ann"));
console.log(await ask("bo"));
