#!/usr/bin/env node
// Not built: npm links a program that is there when it installs, in a clone before anything is.
import "./dist/bin.js";
