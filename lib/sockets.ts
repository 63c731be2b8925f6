/** placeholder for the next step */
export class Sockets {
  constructor(readonly max: number) {}
  get size(): number {
    return 0;
  }
  async close(): Promise<void> {}
}
