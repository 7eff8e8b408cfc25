/** The builds of `assembly/`, which esbuild embeds (loader `binary`). `scripts/buildKernels.mjs` makes them. */
declare module '*.wasm' {
  const binary: Uint8Array;
  export = binary;
}
