import { describeContract } from "./contract.ts";
import { makeSqliteLog } from "./sqlite-support.ts";

describeContract("SQLite", makeSqliteLog, { isUtf8: false });
