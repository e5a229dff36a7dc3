// When a question is asked and which answers can be taken: lmt/forms/{answers,conditions,rules}.py
// once more, for the browser. The server has the last word; a generated test compares the two.
(() => {
  "use strict";

  // Neither language's own notion of a blank.
  const SPACES =
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff";
  const AROUND = new RegExp(`^[${SPACES}]+|[${SPACES}]+$`, "g");

  // Each script's zero, its other digits following: the list of lmt/forms/digits.py.
  const ZEROS =
    "30 660 6f0 7c0 966 9e6 a66 ae6 b66 be6 c66 ce6 d66 de6 e50 ed0 f20 1040 1090 17e0 1810" +
    " 1946 19d0 1a80 1a90 1b50 1bb0 1c40 1c50 a620 a8d0 a900 a9d0 a9f0 aa50 abf0 ff10 104a0" +
    " 10d30 11066 110f0 11136 111d0 112f0 11450 114d0 11650 116c0 11730 118e0 11950 11c50" +
    " 11d50 11da0 16a60 16ac0 16b50 1d7ce 1d7d8 1d7e2 1d7ec 1d7f6 1e140 1e2f0 1e950 1fbf0";
  const DIGITS = new Map();
  for (const zero of ZEROS.split(" ")) {
    for (let value = 0; value < 10; value += 1) {
      DIGITS.set(String.fromCodePoint(parseInt(zero, 16) + value), String(value));
    }
  }

  const NUMBER = /^-?[0-9]{1,15}(\.[0-9]{1,6})?$/;
  const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
  const FILE_NAME = /\.(jpg|jpeg|png|webp|heic|pdf)$/i;
  const SIZE = /^[0-9]{1,15}$/;
  const DEALER_CODE = /^[A-Za-z0-9_-]{1,60}$/;
  const DEGREES = /^-?[0-9]{1,3}(\.[0-9]{1,20})?$/;
  const BYTES_PER_MB = 1024 * 1024;
  const ONE_LINE = new Set(["text", "name", "email", "phone", "postcode", "city", "hidden"]);
  const WITH_OPTIONS = new Set(["choice", "choices", "time_window", "country", "model"]);

  // The grammar stands in lmt/forms/emailrule.py.
  const BEYOND =
    "\\u00a1-\\u167f\\u1681-\\u1fff\\u2070-\\u2fff\\u3001-\\ud7ff\\ue000-\\ufefe" +
    "\\uff00-\\u{10ffff}";
  const ATOM = `[A-Za-z0-9!#$%&'*+/=?^_\`{|}~${BEYOND}\\-]+`;
  const LABEL = `[A-Za-z0-9${BEYOND}](?:[A-Za-z0-9${BEYOND}\\-]{0,61}[A-Za-z0-9${BEYOND}])?`;
  const LAST = `(?:[A-Za-z${BEYOND}]{1,63}|[Xx][Nn]--[A-Za-z0-9\\-]{0,58}[A-Za-z0-9])`;
  const LOCAL = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`, "u");
  const DOMAIN = new RegExp(`^(?:${LABEL}\\.)+${LAST}$`, "u");

  // Keys are the form's: one may be called as something that every object inherits.
  const has = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
  // Characters as the server counts them: a pair of surrogates is one.
  const lengthOf = (text) => Array.from(text).length;

  function cleaned(text) {
    return text.replace(/\r\n?/g, "\n").replace(AROUND, "");
  }

  function withAsciiDigits(text) {
    return Array.from(text, (letter) => DIGITS.get(letter) || letter).join("");
  }

  function numberText(text) {
    const number = withAsciiDigits(text)
      .replace(/[\u066b,]/g, ".")
      .replace(/\u2212/g, "-")
      .replace(/[ \u00a0\u2009\u202f\u066c]/g, "");
    return NUMBER.test(number) ? number : text;
  }

  function normalised(field, name, text) {
    if (field.type === "choices") {
      return cleaned(text).split("\n").map(cleaned).filter(Boolean).join("\n");
    }
    if (field.type === "postcode" || name === `${field.key}-postcode`) {
      return withAsciiDigits(cleaned(text));
    }
    return field.type === "number" ? numberText(cleaned(text)) : cleaned(text);
  }

  // The answers as they count, by name of the input.
  function given(facts, answers) {
    const sent = (name) => (has(answers, name) ? String(answers[name]) : "");
    const found = new Map();
    for (const field of facts.fields) {
      if (field.fixed) {
        found.set(field.key, field.value);
        continue;
      }
      for (const name of field.inputs) found.set(name, normalised(field, name, sent(name)));
      if (field.type === "hidden" && !found.get(field.key)) found.set(field.key, field.value);
      if (field.type === "file") {
        found.set(`${field.key}-size`, cleaned(sent(`${field.key}-size`)));
      }
      if (field.parts && Object.keys(field.parts).length === 1) {
        found.set(`${field.key}-country`, Object.keys(field.parts)[0]);
      }
    }
    return found;
  }

  function compares(answer, atLeast, bound) {
    if (DATE.test(answer) && DATE.test(bound)) return atLeast ? answer >= bound : answer <= bound;
    if (NUMBER.test(answer) && NUMBER.test(bound)) {
      return atLeast ? Number(answer) >= Number(bound) : Number(answer) <= Number(bound);
    }
    return false;
  }

  function holds(condition, answered) {
    if (condition.all) return condition.all.every((part) => holds(part, answered));
    if (condition.any) return condition.any.some((part) => holds(part, answered));
    const answer = answered(condition.field);
    if (condition.filled) return Boolean(answer) === (condition.filled[0] === "yes");
    if (condition.at_least) return compares(answer, true, condition.at_least[0]);
    if (condition.at_most) return compares(answer, false, condition.at_most[0]);
    const values = condition.is || condition.is_not;
    const chosen = answer ? answer.split("\n") : [];
    return chosen.some((each) => values.includes(each)) === Boolean(condition.is);
  }

  // Top to bottom, as conditions look at earlier fields only; one that isn't asked has no answer.
  function askedOf(facts, answers) {
    const fields = new Map(facts.fields.map((field) => [field.key, field]));
    const asked = new Set();
    const answered = (key) => (asked.has(key) && answers.get(fields.get(key).inputs[0])) || "";
    const isShown = (part) => !part.shown_when || holds(part.shown_when, answered);
    for (const step of facts.steps) {
      if (!isShown(step)) continue;
      let sectionShown = true;
      for (const key of step.fields) {
        const field = fields.get(key);
        const shown = isShown(field);
        if (field.type === "section") sectionShown = shown;
        if (shown && sectionShown) asked.add(key);
      }
    }
    return asked;
  }

  const problem = (code, facts = {}) => ({ code, facts });

  function lineProblem(answer, most) {
    if (lengthOf(answer) > most) return problem("too_long", { most });
    return /[\n\0]/.test(answer) ? problem("one_line") : null;
  }

  function isEmail(text) {
    const at = text.indexOf("@");
    const local = text.slice(0, at);
    const domain = text.slice(at + 1);
    return (
      at >= 0 &&
      lengthOf(local) <= 64 &&
      lengthOf(domain) <= 253 &&
      LOCAL.test(local) &&
      DOMAIN.test(domain)
    );
  }

  function textProblem(field, answer) {
    if (field.type === "hidden" && answer === field.value) return null;
    if (ONE_LINE.has(field.type)) {
      const found = lineProblem(answer, field.max_length);
      if (found) return found;
    }
    if (lengthOf(answer) > field.max_length) return problem("too_long", { most: field.max_length });
    if (field.type === "email" && !isEmail(answer)) return problem("email");
    if (field.type === "phone") {
      const digits = Array.from(answer).filter((letter) => DIGITS.has(letter)).length;
      if (digits < 6 || digits > 20) return problem("phone");
    }
    return null;
  }

  function choicesProblem(field, chosen) {
    const twice = new Set(chosen).size < chosen.length;
    if (twice || !chosen.every((each) => field.options.includes(each))) {
      return problem("unknown_option");
    }
    const tooMany = has(field, "most") && chosen.length > field.most;
    return tooMany ? problem("too_many", { most: field.most }) : null;
  }

  function numberProblem(field, answer) {
    if (!NUMBER.test(answer)) return problem("number");
    if (has(field, "least") && Number(answer) < field.least) {
      return problem("too_small", { least: field.least });
    }
    if (has(field, "most") && Number(answer) > field.most) {
      return problem("too_big", { most: field.most });
    }
    return null;
  }

  // By the calendar, not by Date, which takes 31 April and years of two digits for something else.
  function isDay(answer) {
    if (!DATE.test(answer)) return false;
    const [year, month, day] = answer.split("-").map(Number);
    const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
    const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
    return year > 0 && Boolean(days) && day > 0 && day <= days;
  }

  function dateProblem(field, answer) {
    if (!isDay(answer)) return problem("date");
    if (field.earliest && answer < field.earliest) {
      return problem("too_early", { least: field.earliest });
    }
    if (field.latest && answer > field.latest) return problem("too_late", { most: field.latest });
    return null;
  }

  function fileProblem(field, name, size) {
    if (!FILE_NAME.test(name)) return problem("file_type");
    const fits = !size || (SIZE.test(size) && Number(size) <= field.most * BYTES_PER_MB);
    return fits ? null : problem("file_size", { most_mb: field.most });
  }

  function missing(field) {
    if (!field.required || field.type === "hidden") return null;
    if (WITH_OPTIONS.has(field.type) || field.type === "dealer") return problem("choose");
    return problem(field.type === "consent" ? "consent" : "missing");
  }

  function fieldProblem(field, answers) {
    const answer = answers.get(field.key);
    if (!answer) return missing(field);
    const only = (good) => (good ? null : problem("unknown_option"));
    if (field.type === "file") return fileProblem(field, answer, answers.get(`${field.key}-size`));
    if (field.type === "choices") return choicesProblem(field, answer.split("\n"));
    if (WITH_OPTIONS.has(field.type)) return only(field.options.includes(answer));
    if (field.type === "consent") return only(answer === "yes");
    if (field.type === "dealer") return only(DEALER_CODE.test(answer));
    if (field.type === "number") return numberProblem(field, answer);
    if (field.type === "date") return dateProblem(field, answer);
    return textProblem(field, answer);
  }

  function placeProblem(field, answers) {
    const found = lineProblem(answers.get(`${field.key}-place`), field.max_length);
    if (found) return found;
    for (const [axis, most] of [["lat", 90], ["lon", 180]]) {
      const degrees = answers.get(`${field.key}-${axis}`);
      const inRange = DEGREES.test(degrees) && Math.abs(Number(degrees)) <= most;
      if (degrees && !inRange) return problem("place");
    }
    return null;
  }

  function countryProblem(field, country) {
    if (!country) return field.required ? problem("choose") : null;
    return has(field.parts, country) ? null : problem("unknown_option");
  }

  function partProblem(field, part, answer) {
    const found = lineProblem(answer, field.max_length);
    if (found || !part) return found;
    if (!answer) {
      if (!field.required || !part.required) return null;
      return problem(part.areas ? "choose" : "missing");
    }
    if (part.areas && !part.areas.some(([value]) => value === answer)) {
      return problem("unknown_option");
    }
    // Without the flag u, whose letters in either case are more than the server's.
    const fits = (pattern) => new RegExp(`^(?:${pattern})$`, "i").test(answer);
    return part.pattern && !fits(part.pattern) ? problem("postcode") : null;
  }

  function addressProblems(field, answers) {
    const country = answers.get(`${field.key}-country`);
    const parts = has(field.parts, country) ? field.parts[country] : [];
    const found = [[`${field.key}-country`, countryProblem(field, country)]];
    for (const which of ["region", "city", "postcode", "street"]) {
      const name = `${field.key}-${which}`;
      const part = parts.find((each) => each.part === which);
      found.push([name, partProblem(field, part, answers.get(name))]);
    }
    return found;
  }

  function problemsOf(field, answers) {
    if (field.type === "section") return [];
    if (field.type === "address") return addressProblems(field, answers);
    const found = [[field.key, fieldProblem(field, answers)]];
    if (field.type === "dealer") found.push([`${field.key}-place`, placeProblem(field, answers)]);
    return found;
  }

  // A phone or a mail is needed: told in the last step that asks for one, as only there both were
  // seen.
  function unreached(facts, asked, answers) {
    const fields = new Map(facts.fields.map((field) => [field.key, field]));
    const isWay = (key) => asked.has(key) && /^(phone|email)$/.test(fields.get(key).type);
    const steps = facts.steps.map((step) => step.fields.filter(isWay)).filter((s) => s.length);
    const ways = steps.flat();
    if (!ways.length || ways.some((key) => answers.get(key))) return [];
    return [[steps[steps.length - 1][0], problem(ways.length > 1 ? "reach" : "missing")]];
  }

  // The keys of the fields that are asked, in the form's order.
  function shown(facts, answers) {
    return Array.from(askedOf(facts, given(facts, answers)));
  }

  // {code, facts} by name of the input, in the form's order.
  function problems(facts, answers) {
    const counted = given(facts, answers);
    const asked = askedOf(facts, counted);
    const found = new Map();
    const fields = facts.fields.filter((field) => asked.has(field.key));
    const all = fields.flatMap((field) => problemsOf(field, counted));
    for (const [name, why] of all.concat(unreached(facts, asked, counted))) {
      if (why && !found.has(name)) found.set(name, why);
    }
    const inOrder = {};
    for (const name of facts.fields.flatMap((field) => field.inputs)) {
      if (found.has(name)) inOrder[name] = found.get(name);
    }
    return inOrder;
  }

  // One problem as a sentence for the visitor: the field's own words, else the rule's.
  function words(facts, name, why) {
    const field = facts.fields.find((each) => each.inputs.includes(name));
    if (field.error) return field.error;
    const days = field.days || {};
    return facts.messages[why.code].replace(/\{(least|most|most_mb)\}/g, (braces, fact) => {
      const value = why.facts[fact];
      return String(has(days, value) ? days[value] : value);
    });
  }

  window.LmtRules = Object.freeze({ cleaned, given, shown, problems, words });
})();
