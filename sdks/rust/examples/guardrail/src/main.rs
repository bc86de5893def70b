fn main() {
    troupe_plugin::serve(troupe_example_guardrail::plugin());
}
