import type { ChildProcess } from "node:child_process";
import type { ChildMessage } from "../../local/child-protocol.ts";

/** Where a child that was just started is reached. @throws {Error} when it does not start */
export function firstAnswer(child: ChildProcess, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("message", (message) => {
      const answer = message as ChildMessage;
      if (answer.kind === "ready") resolve(answer.url);
      else reject(new Error(`the ${name} does not start: ${answer.message}`));
    });
    child.once("exit", (code) => reject(new Error(`the ${name} ended with ${code}`)));
  });
}

export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}
