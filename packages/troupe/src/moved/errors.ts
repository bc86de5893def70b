import { packageMoved } from "@troupe/base";

throw packageMoved("troupe/errors", '`TroupeError` and `UserError` of "troupe"', "troupe");
