import { packageMoved } from "@troupe/base";

throw packageMoved("troupe/log", "`c.log` in an actor", "troupe");
