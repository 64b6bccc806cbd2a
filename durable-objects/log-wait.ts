/**
 * The log cannot be read on for a reason that passes by itself, such as another producer's open
 * transaction: no fault, and looked at again soon.
 */
export class LogWait extends Error {
  override readonly name = "LogWait";
}
