import { packageMoved } from "@troupe/base";

throw packageMoved("troupe/utils", "what the platform has: nothing of it was part of an actor's API");
