/**
 * Calls one after the other. An object runs others of its calls whenever one waits for anything but
 * its storage: without this, two slices of one part would read at the same position.
 */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  take<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    const answer = this.last.then(call);
    this.last = answer.catch(() => undefined);
    return answer;
  }
}
