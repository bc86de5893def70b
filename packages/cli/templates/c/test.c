/* What can be said of the plugin without a host: `make test`. */
#include <stdio.h>
#include <string.h>

#include "plugin.c"

/* What is false is a line, and the end's status. */
static int failed;

static void check(int holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "not true: %s\n", what);
  failed = 1;
}

int main(void) {
  check(configure(troupe_text("")) == NULL, "no configuration is fine");
  check(configure(troupe_text("{}")) == NULL, "an object is fine");
  check(configure(troupe_text("[]")) != NULL, "a list is refused");
  check(strcmp(actors[0].name, "counter") == 0, "there is a counter");
  check(middleware[0].run == refuse && middleware[1].run == export_event, "a guardrail and an exporter");
  return failed;
}
