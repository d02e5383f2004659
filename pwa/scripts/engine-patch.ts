/**
 * What the form engine 0.22.0 does wrong with a record's answers, mended in its text when it is bundled or tested.
 *
 * It has no setting and no hook for these: an expression that throws leaves its question frozen at the last value, and the draft can't be
 * opened again. Each change names the text that it replaces; another version of the engine, where a text is not found, ends the build.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

type Change = { readonly why: string; readonly from: string; readonly to: string }

const CHANGES: readonly Change[] = [
  {
    why: 'a day that does not exist (2024-02-30) is no date, as any other text that is none',
    from: 'const dateTimeFromString = (timeZone, value) => {\n',
    to: `const ofFourDigits = (dateTime) => (dateTime != null && dateTime.year >= 1 && dateTime.year <= 9999 ? dateTime : null);
const dateTimeFromString = (timeZone, value) => {
  try {
    // With an offset the browser reads it, and makes the first of March of the thirtieth of February.
    if (/^\\d{4}-/.test(value)) Xn.PlainDate.from(value.slice(0, 10));
    return ofFourDigits(dateTimeThatExists(timeZone, value));
  } catch {
    return null;
  }
};
const dateTimeThatExists = (timeZone, value) => {
`,
  },
  {
    why: 'a number of days that leads to no year of four digits is no date, as a record could not hold it',
    from: '  return new Xn.ZonedDateTime(toNanoseconds(milliseconds), timeZone.toString());',
    to: `  try {
    return ofFourDigits(new Xn.ZonedDateTime(toNanoseconds(milliseconds), timeZone.toString()));
  } catch {
    return null;
  }`,
  },
  {
    why: 'a number without end is no answer: it is blank, as what is no number',
    from: 'this.stringValue = Number.isNaN(value) ? "" : String(value);',
    to: 'this.stringValue = Number.isFinite(value) ? String(value) : "";',
  },
  {
    why: 'what is no date is blank and not an English sentence in the record',
    from: 'const INVALID_DATE_TIME_STRING = "Invalid Date";',
    to: 'const INVALID_DATE_TIME_STRING = "";',
  },
  {
    why: 'an expression that throws is blank and told; the answers that it looks at stay',
    from: 'const createComputedExpression = (context, dependentExpression, options = {}) => {',
    to: `const withoutThrowing = (expression, evaluate, otherwise) => {
  try {
    return evaluate();
  } catch {
    globalThis.formExpressionFailed?.(String(expression));
    return otherwise;
  }
};
const createComputedExpression = (context, dependentExpression, options = {}) => {`,
  },
  {
    why: 'the same for one that looks at no answer, which would stop every record of the form',
    from: 'return createMemo(() => evaluateExpression());',
    to: `return createMemo(() =>
        withoutThrowing(expression, () => evaluateExpression(), options.thrownValue ?? defaultEvaluationsByType[resultType])
      );`,
  },
  {
    why: 'the same for one that looks at answers',
    from: '        return evaluateExpression();\n',
    to: `        return withoutThrowing(
          expression,
          () => evaluateExpression(),
          options.thrownValue ?? options.defaultValue ?? defaultEvaluationsByType[resultType]
        );
`,
  },
  {
    why: 'once() inside a larger calculation gives its own value, so that the calculation would never come to rest',
    from: `const createCalculation = (context, setRelevantValue, computation) => {
  const calculate = createComputedExpression(context, computation);
  createComputed(() => {
    if (context.isAttached() && context.isRelevant()) {`,
    to: `const createCalculation = (context, setRelevantValue, computation, getValue) => {
  const calculate = createComputedExpression(context, computation);
  const isHeld = /(?<![\\w.:-])once\\s*\\(/u.test(computation.expression.replace(/'[^']*'|"[^"]*"/gu, "''"));
  createComputed(() => {
    if (context.isAttached() && context.isRelevant()) {
      if (isHeld && String(untrack(getValue) ?? "") !== "") return;`,
  },
  {
    why: 'the same, told what stands',
    from: 'createCalculation(context, setValue, calculate);',
    to: 'createCalculation(context, setValue, calculate, relevantValueState[0]);',
  },
  {
    why: 'a choice that is computed twice is chosen once',
    from: `      return xmlXPathWhitespaceSeparatedList(value, {
        ignoreEmpty: true
      });
    };`,
    to: `      return [...new Set(xmlXPathWhitespaceSeparatedList(value, {
        ignoreEmpty: true
      }))];
    };`,
  },
  {
    why: 'a question stays, and can be answered, where nobody can say whether it should',
    from: `    this.isSelfReadonly = createComputedExpression(this, readonly, {
      defaultValue: true
    });
    this.isSelfRelevant = createComputedExpression(this, relevant, {
      defaultValue: false
    });`,
    to: `    this.isSelfReadonly = createComputedExpression(this, readonly, {
      defaultValue: true,
      thrownValue: false
    });
    this.isSelfRelevant = createComputedExpression(this, relevant, {
      defaultValue: false,
      thrownValue: true
    });`,
  },
  {
    why: 'a constraint that nobody can judge is kept',
    from: `createComputedExpression(context, constraint, {
      defaultValue: true
    });`,
    to: `createComputedExpression(context, constraint, {
      defaultValue: true,
      thrownValue: true
    });`,
  },
  {
    why: 'a default that throws is blank',
    from: 'return context.evaluator.evaluateString(computation.expression, context);',
    to: `return withoutThrowing(computation.expression, () => context.evaluator.evaluateString(computation.expression, context), "");`,
  },
  {
    why: 'the same for a value that follows another',
    from: 'const calc = context.evaluator.evaluateString(expression, context);',
    to: 'const calc = withoutThrowing(expression, () => context.evaluator.evaluateString(expression, context), "");',
  },
]

/** The engine's text with every change made; throws where one of them finds nothing, or more than one place. */
export function mended(source: string): string {
  return CHANGES.reduce((text, { why, from, to }) => {
    if (text.split(from).length !== 2) throw new Error(`the form engine has changed, look again at: ${why}`)
    return text.replace(from, () => to)
  }, source)
}

/** Write the mended engine beside the packages and return its address, for an alias: bundling and tests both take it from there. */
export function mendedEngine(): string {
  const packages = fileURLToPath(new URL('../node_modules', import.meta.url))
  const folder = join(packages, '.nuong')
  const file = join(folder, 'xforms-engine.mjs')
  const text = mended(readFileSync(join(packages, '@getodk/xforms-engine/dist/index.js'), 'utf8'))
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return file
  mkdirSync(folder, { recursive: true })
  // Put in place in one step: a build beside this one never reads half of it.
  const whole = `${file}.${String(process.pid)}`
  writeFileSync(whole, text)
  renameSync(whole, file)
  return file
}
