#!/usr/bin/env node
export {} from "@troupe/cli/bin";
