/** Sandboxes of real processes: the kits of all drivers. */
import { escapeKit } from "../../../../conformance/sandbox/escape-kit.ts";
import { fileKit } from "../../../../conformance/sandbox/file-kit.ts";
import { processKit } from "../../../../conformance/sandbox/process-kit.ts";
import { processes } from "../support/bubblewrap.ts";

fileKit(processes);
processKit(processes);
escapeKit(processes);
