/** The workflows of one activation: what they need of it, and who runs them. */
import { encodeCbor } from "@troupe/protocol";
import { queueErrors } from "../../queue/errors.ts";
import { capturedTrace } from "../../traced/tracing.ts";
import { WorkflowScope } from "../../traced/workflow-scope.ts";
import { ScopeContext } from "../../workflow/context.ts";
import { workflowErrors } from "../../workflow/errors.ts";
import type { RunScope, WorkflowsOwner } from "../../workflow/life.ts";
import type { WorkflowRecord } from "../../workflow/record.ts";
import { Workflows } from "../../workflow/workflows.ts";
import { validated } from "../validate.ts";
import type { Activation } from "./activation.ts";
import { LocalContext, releaseContext } from "./context.ts";
import { turnDurable } from "./durable.ts";
import { asStep } from "./hook-scope.ts";
import type { RunWork } from "./run.ts";
import { StepContext } from "./step-context.ts";
import { withTimeout } from "./timeout.ts";

/** The workflows of an activation whose definition has some. `row`: what storage holds of them. */
export function openWorkflows(activation: Activation, row?: Uint8Array): Workflows {
  const { workflow } = activation.behaviour;
  if (workflow === undefined) throw workflowErrors.unavailable(activation.record.name);
  return new Workflows(new ActivationOwner(activation), workflow, row);
}

/** Runs them beside the activation, until it ends. */
export async function runWorkflows(activation: Activation, work: RunWork): Promise<void> {
  await activation.workflows?.run(work, activation.abort.signal);
}

/** What workflows see of their activation. */
class ActivationOwner implements WorkflowsOwner {
  readonly #activation: Activation;
  #actor: LocalContext | undefined;

  constructor(activation: Activation) {
    this.#activation = activation;
  }

  get env(): Activation["env"] {
    return this.#activation.env;
  }

  get log(): Activation["log"] {
    return this.#activation.log;
  }

  get actorId(): string {
    return this.#activation.record.id;
  }

  get queues(): Activation["queues"] {
    return this.#activation.queues;
  }

  get stored(): Activation["store"] {
    return this.#activation.store;
  }

  get stopping(): boolean {
    return this.#activation.stopping;
  }

  wrote(): void {
    this.#activation.wrote();
  }

  durable(): Promise<void> | undefined {
    return this.#activation.departure();
  }

  asks(names: ReadonlySet<string> | undefined): void {
    const { behaviour, record, runWork } = this.#activation;
    const { queues } = behaviour;
    for (const name of queues.names.length > 0 ? (names ?? []) : [])
      if (queues.get(name) === undefined) throw queueErrors.notFound(record.name, name);
    runWork?.asks(names);
  }

  encodeReply(queue: string, reply: unknown): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const { behaviour } = this.#activation;
    const schema = behaviour.queues.get(queue)?.complete;
    const encode = (value: unknown) => (value === undefined ? undefined : encodeCbor(value, "reply"));
    const checked = validated(schema, reply, (issues) => queueErrors.invalidReply(queue, issues));
    return checked instanceof Promise ? checked.then(encode) : encode(checked);
  }

  enter<R>(fn: () => R): R {
    return this.#activation.enter(fn);
  }

  runScope(workflow: WorkflowRecord): RunScope | undefined {
    const { relay, record } = this.#activation;
    if (relay === undefined) return undefined;
    return new WorkflowScope({ relay, record, workflow, durable: () => turnDurable(this.#activation) });
  }

  trace(): string | undefined {
    return this.#activation.relay && capturedTrace(this.#activation.relay);
  }

  enterStep<R>(step: string, fn: () => R): R {
    return this.#activation.enter(() => asStep(this.#activation, step, fn));
  }

  within<R>(promise: Promise<R>, timeoutMs: number, late: () => unknown): Promise<R> {
    return withTimeout(this.#activation.env, promise, timeoutMs, late);
  }

  stepContext(step: string, signal: AbortSignal): { context: unknown; end: () => void } {
    const c = new LocalContext(this.#activation);
    const context = new StepContext(c, step, signal);
    return {
      context,
      end: () => {
        context.end();
        releaseContext(c, false);
      },
    };
  }

  workflowContext(scope: ConstructorParameters<typeof ScopeContext>[0]): unknown {
    this.#actor ??= new LocalContext(this.#activation);
    return new ScopeContext(scope, this.#actor);
  }

  report(...[onError, event]: Parameters<WorkflowsOwner["report"]>): void {
    const activation = this.#activation;
    const c = new LocalContext(activation);
    const { onWakeTimeout } = activation.descriptor.options;
    const told = () => onError(c, event);
    activation.hook("onError", onWakeTimeout, told, [c]).catch((cause: unknown) => {
      activation.log.error("onError failed", { cause });
    });
  }
}
