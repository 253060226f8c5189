// Lets node's own test runner read TypeScript: types are taken out, nothing is checked.
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

if (isMainThread) register(import.meta.url);

export async function resolve(name, context, next) {
  if (!name.startsWith(".") || /\.m?[jt]sx?$/.test(name)) return next(name, context);
  for (const end of [".ts", ".tsx"]) {
    try {
      return await next(name + end, context);
    } catch (error) {
      if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    }
  }
  return next(name, context);
}

export async function load(url, context, next) {
  if (!/\.tsx?$/.test(url)) return next(url, context);
  const { default: ts } = await import("typescript");
  const options = {
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2022,
    jsx: ts.JsxEmit.ReactJSX,
    jsxImportSource: "preact",
  };
  const source = ts.transpileModule(readFileSync(new URL(url), "utf8"), {
    compilerOptions: options,
    fileName: url,
  });
  return { format: "module", source: source.outputText, shortCircuit: true };
}
