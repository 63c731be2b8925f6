import { X509Certificate } from "node:crypto";
import { servedFrom } from "./http/auth/served.ts";

/** A chain of certificates, the server's own first, and its private key, both as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Where a certificate is. */
export interface CertificateFiles {
  /** Absolute paths. */
  readonly cert: string;
  readonly key: string;
}

/** A certificate or a key that cannot be used; the message is one line. */
export class CertificateError extends Error {
  /** The error's name. */
  override name = "CertificateError";
}

/** From when until when a certificate is good. */
export function timesOf({ cert }: Certificate): { from: Date; to: Date } {
  const { validFrom, validTo } = new X509Certificate(cert);
  return { from: new Date(validFrom), to: new Date(validTo) };
}

/** Why clients refuse a certificate now, if they do: it has expired, or its time is still to come. */
export function timeFault(certificate: Certificate, now: number = Date.now()): string | undefined {
  const { from, to } = timesOf(certificate);
  if (now < from.getTime()) return `is not valid before ${from.toISOString()}`;
  return now > to.getTime() ? `has expired at ${to.toISOString()}` : undefined;
}

/**
 * Reads a certificate and its key, and tries both.
 *
 * @param names the flags or their variables, for messages
 * @param served absolute paths of what clients can read, which the key must not be in
 * @throws CertificateError also for a key that is not the certificate's
 */
export function readCertificate(
  files: CertificateFiles,
  names: CertificateFiles,
  served: readonly string[],
): Certificate {
  const [cert, key] = (["cert", "key"] as const).map((which) => {
    try {
      // Opening a FIFO without a writer would wait for good.
      if (!Deno.statSync(files[which]).isFile) throw new Error(`${files[which]} is not a file`);
      return Deno.readTextFileSync(files[which]);
    } catch (error) {
      throw new CertificateError(
        `${names[which]} must be a file that can be read: ${(error as Error).message}`,
      );
    }
  });
  const root = servedFrom(files.key, served);
  if (root !== undefined) {
    throw new CertificateError(`${names.key} ${files.key}: must not be in ${root}, which clients can read`);
  }
  try {
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
  } catch (error) {
    throw new CertificateError(
      `${names.cert} and ${names.key} must be a certificate and its key, as PEM: ${(error as Error).message}`,
    );
  }
  return { cert, key };
}
