/**
 * A Rust that makes modules of WebAssembly, for machines whose own has no library for that and can't fetch it with `rustup`. Debian
 * has a current compiler, which its browsers are built with, and the sources of the library: both are unpacked into the
 * cache, and the library is compiled once.
 */
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../command.ts";
import { installations, unpackWithApt } from "./apt.ts";
import { cache, madeWhole } from "./cache.ts";

const packages = ["rustc-web", "cargo-web", "libstd-rust-web-dev", "rust-web-src", "lld"];
/** Of the sources, only the library's are compiled. */
const leaveOut = ["./usr/src/*/compiler", "./usr/src/*/src", "./usr/share", "./usr/bin/rustdoc"];
const target = "wasm32-unknown-unknown";
const folder = join(cache, "rust-for-wasm");

/** The compiler, once it is there. */
export const rustcForWasm = join(folder, "bin/rustc");

/** Makes it. Gives undefined when that worked, otherwise the reason as the end of a sentence. */
export function rustForWasm(say: (line: string) => void): Promise<string | undefined> {
  return madeWhole(folder, async (half) => {
    say("· Rust for WebAssembly: downloading and unpacking Debian's (about 160 MB)");
    const refusal = await unpackWithApt(packages, half, leaveOut);
    if (refusal !== undefined) return refusal;
    // A C compiler and wasm-ld, which link, may be on their way.
    await installations();
    await writeCompiler(half);
    say("· Rust for WebAssembly: compiling its standard library (about half a minute)");
    return await compileLibrary(half);
  });
}

/** What runs the compiler from where it was unpacked, with the linker of its modules. */
async function writeCompiler(root: string): Promise<void> {
  const libraries = librariesOf("$root", root);
  const script = [
    "#!/bin/sh",
    `root=$(cd "\${0%/*}/.." && pwd)`,
    `export LD_LIBRARY_PATH="${libraries}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`,
    'exec "$root/usr/bin/rustc" --sysroot "$root/usr" "$@"',
  ];
  const rustc = join(root, "bin/rustc");
  await mkdir(join(root, "bin"));
  await writeFile(rustc, `${script.join("\n")}\n`);
  await chmod(rustc, 0o755);
  const rustlib = join(root, "usr/lib/rustlib");
  const own = existsSync(join(root, "usr/bin/wasm-ld"));
  const [host] = (await readdir(rustlib)).filter((name) => name.includes("-linux-"));
  const programs = join(rustlib, host ?? "", "bin");
  await mkdir(programs, { recursive: true });
  // The name that the compiler asks for.
  await symlink(own ? "../../../../bin/wasm-ld" : "/usr/bin/wasm-ld", join(programs, "rust-lld"));
}

/** Where unpacked programs find their libraries, under `root` by that name. */
function librariesOf(name: string, root: string): string {
  return ["lib", "usr/lib"]
    .filter((part) => existsSync(join(root, part)))
    .flatMap((part) => readdirSync(join(root, part)).map((inner) => join(part, inner)))
    .filter((path) => path.endsWith("-linux-gnu"))
    .map((path) => `${name}/${path}`)
    .join(":");
}

/** Not optimised: what tests make of it is not, either, and it takes half the time. */
async function compileLibrary(root: string): Promise<string | undefined> {
  const work = join(root, "work");
  await mkdir(join(work, "src"), { recursive: true });
  await writeFile(join(work, "src/lib.rs"), "");
  await writeFile(join(work, "Cargo.toml"), '[package]\nname = "nothing"\nedition = "2024"\n[workspace]\n');
  const vendor = join(root, "usr/lib/rustlib/src/rust/library/vendor");
  const { status, output } = await command(
    join(root, "usr/bin/cargo"),
    [
      ...["build", "--release", "--offline", "--target", target],
      ...["-Zbuild-std=std,panic_abort", "-Zbuild-std-features="],
      ...["--config", 'source.crates-io.replace-with="vendor"'],
      ...["--config", `source.vendor.directory=${JSON.stringify(vendor)}`],
    ],
    {
      cwd: work,
      env: {
        LD_LIBRARY_PATH: librariesOf(root, root),
        CARGO_HOME: join(work, "home"),
        CARGO_TARGET_DIR: join(work, "target"),
        CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
        RUSTC: join(root, "bin/rustc"),
        // What a released compiler takes only for this.
        RUSTC_BOOTSTRAP: "1",
        RUSTC_WRAPPER: "",
        RUSTFLAGS: "",
      },
      timeoutMs: 300_000,
    },
  );
  if (status !== 0) return `its standard library did not compile: ${firstError(output)}`;
  const made = join(work, "target", target, "release/deps");
  const library = join(root, "usr/lib/rustlib", target, "lib");
  await mkdir(library, { recursive: true });
  for (const name of await readdir(made)) {
    if (name.endsWith(".rlib") && !name.startsWith("libnothing-"))
      await rename(join(made, name), join(library, name));
  }
  for (const part of [work, join(root, "usr/src")]) await rm(part, { recursive: true });
  return undefined;
}

function firstError(output: string): string {
  const lines = output.trim().split("\n");
  return lines.find((line) => line.startsWith("error")) ?? lines.at(-1) ?? "";
}
