import { find } from "./programs.ts";

/** A certificate that signs itself, for 127.0.0.1 and localhost, and its key. */
export interface MadeCertificate {
  /** Paths. */
  cert: string;
  key: string;
  /** The certificate, which a client that has no other trusts. */
  pem: string;
}

/** Makes a certificate in a folder; a later one in place of it with the same name. */
export async function makeCertificate(folder: string, name: string): Promise<MadeCertificate> {
  const [cert, key] = [`${folder}/${name}.crt`, `${folder}/${name}.key`];
  const args =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=weir -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE"
      .split(" ");
  const { success, stderr } = await new Deno.Command(find("openssl")!, {
    args: [...args, "-keyout", key, "-out", cert],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return { cert, key, pem: await Deno.readTextFile(cert) };
}

/** A client of `fetch` that trusts these certificates alone. */
export const trusting = (...certificates: MadeCertificate[]): Deno.HttpClient =>
  Deno.createHttpClient({ caCerts: certificates.map(({ pem }) => pem) });
