import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";

const { DATABASE, TEST_MIGRATIONS } = env as unknown as {
  readonly DATABASE: D1Database;
  readonly TEST_MIGRATIONS: D1Migration[];
};

// Before each file, whose storage is its own.
await applyD1Migrations(DATABASE, TEST_MIGRATIONS);
