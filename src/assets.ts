/** What is deployed beside the Worker; scripts/assets/assets.ts makes it. */
export interface Assets {
  /** An asset's contents, whole. @throws {Error} when it is not there or takes too long */
  read(name: string, timeoutMs: number): Promise<ArrayBuffer>;
}

export function createAssets(binding: Fetcher): Assets {
  return {
    async read(name, timeoutMs) {
      const signal = AbortSignal.timeout(timeoutMs);
      // The binding looks at the path alone.
      const answer = await binding.fetch(`https://assets.invalid/${name}`, { signal });
      if (answer.ok) return answer.arrayBuffer();
      await answer.body?.cancel();
      throw new Error(`The asset ${name} is not there: ${answer.status}`);
    },
  };
}
