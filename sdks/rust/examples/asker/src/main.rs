fn main() {
    troupe_plugin::serve(troupe_example_asker::plugin());
}
