import { packageMoved } from "@troupe/base";

throw packageMoved("troupe/unstable/migrations", '`db({ migrations })` of "troupe/db"', "troupe/db");
