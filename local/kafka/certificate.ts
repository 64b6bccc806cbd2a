import { execFileSync } from "node:child_process";
import { appendFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { PlainError, messageOf } from "../problem.ts";

export interface Certificate {
  /** PEM file with the private key and the certificate. */
  readonly file: string;
  /** The certificate alone: what a client has to trust. */
  readonly authority: string;
}

/** Makes a self-signed certificate for 127.0.0.1 and localhost. @throws {PlainError} without openssl. */
export function makeCertificate(directory: string): Certificate {
  const file = join(directory, "certificate.pem");
  const part = join(directory, "certificate.part.pem");
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
  const key = ["-newkey", "rsa:2048", "-nodes", "-keyout", file];
  try {
    execFileSync("openssl", ["req", "-x509", "-days", "30", ...key, ...subject, "-out", part], {
      stdio: ["ignore", "ignore", "pipe"],
    });
  } catch (error) {
    throw new PlainError(`openssl makes no certificate for the broker: ${messageOf(error)}`);
  }
  const authority = readFileSync(part, "utf8");
  rmSync(part);
  appendFileSync(file, authority);
  return { file, authority };
}
