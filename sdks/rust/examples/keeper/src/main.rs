#[cfg(not(target_family = "wasm"))]
fn main() {
    troupe_plugin::serve(troupe_example_keeper::plugin());
}

/// A module of WebAssembly has its library alone.
#[cfg(target_family = "wasm")]
fn main() {}
