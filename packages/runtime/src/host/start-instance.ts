/** How an actor starts, once it has its slot: it is claimed, its rows are read, and its definition or whoever has its code opens it. */
import type { ActorRecord, Directory } from "../ports/directory.ts";
import type { ActorInstance, InstanceFactory, InstanceHost } from "../ports/instance.ts";
import type { ActorStorage, ActorStore } from "../ports/storage.ts";
import { CutOff, lives } from "./cut-off.ts";
import type { GiveBack } from "./give-back.ts";
import type { Places } from "./places.ts";
import type { Slots } from "./slots.ts";
import type { Creation } from "./target.ts";

/** Where it starts. */
export interface StartParts {
  readonly directory: Directory;
  readonly storage: ActorStorage;
  readonly slots: Slots;
  readonly places: Places;
  readonly giveBack: GiveBack;
  readonly host: InstanceHost;
  /** Told at once, before anybody else acts. */
  readonly started: (instance: ActorInstance) => void;
}

/** What starts. */
export interface Start {
  readonly factory: InstanceFactory;
  readonly record: ActorRecord;
  readonly creation: Creation | undefined;
  /** Milliseconds of the host's clock, when it was asked for. */
  readonly since: number;
}

/** Rejects with what claim, storage and hooks reject with; then its store is closed, and its address given back where it was new. */
export async function startInstance(parts: StartParts, start: Start): Promise<ActorInstance> {
  const { directory, storage, slots, places, giveBack } = parts;
  const { factory, record, creation } = start;
  const { generation } = await directory.claim(record.id);
  let store: ActorStore | undefined;
  try {
    store = await places.openStore(slots.of(record), () => storage.open(record, generation, factory.needs));
    const rows = creation === undefined ? await store.load() : [];
    if (creation === undefined && !lives(rows)) throw new CutOff(record);
    const opening = factory.open({
      record,
      generation,
      store,
      rows,
      isNew: creation !== undefined,
      input: creation?.input,
      created: creation?.durable,
      since: start.since,
      host: parts.host,
    });
    const instance = opening instanceof Promise ? await opening : opening;
    parts.started(instance);
    return instance;
  } catch (cause) {
    if (store !== undefined) {
      await store.close();
      places.closed(slots.of(record), cause);
    }
    const unmade = creation === undefined ? "asleep" : "unmade";
    await giveBack.notStarted(record, generation, cause instanceof CutOff ? "gone" : unmade);
    throw cause;
  }
}
