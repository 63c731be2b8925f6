import { HttpError } from "../stream/errors.ts";

/**
 * Upgrades a request to a WebSocket.
 *
 * @throws HttpError 426 when it is no upgrade or of another version, 400 when the handshake is wrong (RFC 6455, 4.2)
 */
export function handshake(request: Request): { socket: WebSocket; response: Response } {
  checkUpgrade(request);
  // The runtime checks neither the version nor the key, which is 16 bytes in base64 (RFC 6455, 4.1).
  if (request.headers.get("sec-websocket-version") !== "13") {
    throw upgradeRequired("Sec-WebSocket-Version must be 13");
  }
  if (!/^[A-Za-z0-9+/]{22}==$/.test(request.headers.get("sec-websocket-key") ?? "")) {
    throw new HttpError(400, "Sec-WebSocket-Key must be 16 bytes in base64");
  }
  try {
    return Deno.upgradeWebSocket(request);
  } catch (error) {
    throw new HttpError(400, "the WebSocket handshake must follow RFC 6455, 4.1", { cause: error });
  }
}

/**
 * Refuses a request that is no upgrade.
 *
 * @throws HttpError 426
 */
export function checkUpgrade(request: Request): void {
  // Only a GET can be one (RFC 6455, 4.1), but the runtime would upgrade a HEAD as well.
  if (request.method !== "GET" || request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    throw upgradeRequired("this path speaks WebSocket");
  }
}

/** Says which protocol and version are spoken here (RFC 6455, 4.2.2 and 4.4). */
function upgradeRequired(message: string): HttpError {
  return new HttpError(426, message, {
    headers: { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Version": "13" },
  });
}
