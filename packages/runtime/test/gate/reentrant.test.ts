import { TroupeError } from "@troupe/base";
import { expect, test } from "vitest";
import { OutputGate } from "../../src/gate/output-gate.ts";
import { Output } from "../../src/ports/output.ts";

/** An output that says its name when it leaves, and then runs `behind`. */
class Said extends Output {
  readonly bytes = 1;
  readonly #name: string;
  readonly #log: string[];
  readonly #behind: () => void;

  constructor(name: string, log: string[], behind: () => void = () => {}) {
    super();
    this.#name = name;
    this.#log = log;
    this.#behind = behind;
  }

  release(): void {
    this.#behind();
    this.#log.push(this.#name);
  }

  fail(_error: TroupeError): void {
    this.#log.push(`${this.#name} failed`);
  }
}

test("what is said because an output leaves, leaves behind all that was said before", () => {
  const log: string[] = [];
  const gate = new OutputGate(() => {});
  gate.mark();
  gate.emit(new Said("1", log, () => gate.emit(new Said("4", log))));
  gate.emit(new Said("2", log));
  gate.emit(new Said("3", log));
  gate.taken();
  gate.settled({ durable: true });
  expect(log).toEqual(["1", "2", "3", "4"]);
});

test("also when nothing was pending: an output is out before the next one begins", () => {
  const log: string[] = [];
  const gate = new OutputGate(() => {});
  gate.emit(new Said("1", log, () => gate.emit(new Said("2", log))));
  expect(log).toEqual(["1", "2"]);
});

test("a write that an output's leaving causes holds back what is said after it", () => {
  const log: string[] = [];
  const gate = new OutputGate(() => {});
  gate.emit(
    new Said("1", log, () => {
      gate.mark();
      gate.emit(new Said("2", log));
    }),
  );
  expect(log).toEqual(["1"]);
  gate.taken();
  gate.settled({ durable: true });
  expect(log).toEqual(["1", "2"]);
});

test("behind a batch that isn't stored none is: the next one, which was asked for already, isn't given away", () => {
  let asked = 0;
  const gate = new OutputGate(() => (asked += 1));
  gate.mark();
  gate.taken();
  // A file that is written elsewhere says later what became of it.
  gate.mark();
  expect(asked).toBe(2);
  const error = new TroupeError("storage", "commit_failed", "The disk is full");
  gate.settled({ durable: false, applied: "no", error });
  expect(() => gate.taken()).toThrow(error);
});
