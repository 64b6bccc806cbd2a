import type { Services } from "../services.ts";
import { type AppContext, idsOf } from "./operation.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What is changed: the action, and where. */
interface AuditEntry extends Fields {
  readonly action: string;
}

/**
 * Makes a change and writes its one audit line: who, by which request of which trace, what, and where. A change
 * that fails may have been made all the same, and its line says so. A client that goes away ends
 * neither the change nor its line.
 * @param told what the line says of the answer; null where nothing was changed
 */
export function audited<Answer>(
  context: AppContext,
  { auditLogger }: Services,
  entry: AuditEntry,
  change: () => Promise<Answer>,
  told: (answer: Answer) => Fields | null = () => ({}),
): Promise<Answer> {
  const operation = context.get("operation");
  const write = (more: Fields): void =>
    auditLogger("info", "audit", {
      ...entry,
      ...more,
      credential: operation.fields.credential,
      ...idsOf(operation),
    });
  const work = (async () => {
    let answer: Answer;
    try {
      answer = await change();
    } catch (error) {
      write({ outcome: "unknown" });
      throw error;
    }
    const more = told(answer);
    if (more !== null) write(more);
    return answer;
  })();
  // Whoever asked is told of a failure, where there still is one.
  context.executionCtx.waitUntil(work.catch(() => undefined));
  return work;
}
