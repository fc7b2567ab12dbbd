//! The part of kubectl's JSONPath dialect that templates use: `{$.a}`, `{.a}`, `{$['p-value']}`, `{$.a[-1:]}`, `{$.m[?(@.n=="p99")].v}`, `{..a}`, `{$[*]}`.
//! Text outside braces is text. The first value of the first part is the result.

use serde_json::Value;

enum Step {
    Key(String),
    Index(i64),
    Slice(Option<i64>, Option<i64>),
    Wildcard,
    Recursive,
    Filter(Vec<Step>, Compare, Value),
}

#[derive(Clone, Copy)]
enum Compare {
    Equal,
    NotEqual,
}

/// The value that Argo Rollouts evaluates, or its error.
pub fn first(path: &str, root: &Value) -> Result<Value, String> {
    if !path.starts_with('{') {
        let text = path.split('{').next().unwrap_or_default();
        closed(path)?;
        return Ok(Value::String(text.to_owned()));
    }
    closed(path)?;
    let inside = &path[1..path.find('}').unwrap_or(path.len())];
    let steps = Reader::new(inside).steps()?;
    let mut values = vec![root];
    for (i, step) in steps.iter().enumerate() {
        let last_recursive = i > 0 && matches!(steps[i - 1], Step::Recursive);
        values = advance(&values, step, last_recursive)
            .map_err(|why| format!("Could not find JSONPath in body: {why}"))?;
    }
    values
        .first()
        .map(|v| (*v).clone())
        .ok_or_else(|| "result of web metric produced no value".to_owned())
}

fn closed(path: &str) -> Result<(), String> {
    let (open, close) = (path.matches('{').count(), path.matches('}').count());
    (open == close)
        .then_some(())
        .ok_or_else(|| "unclosed action".to_owned())
}

/// `lenient`: after `..` what does not fit is passed over.
fn advance<'a>(values: &[&'a Value], step: &Step, lenient: bool) -> Result<Vec<&'a Value>, String> {
    let mut out = Vec::new();
    for value in values {
        match one(value, step) {
            Ok(found) => out.extend(found),
            Err(_) if lenient => {}
            Err(why) => return Err(why),
        }
    }
    Ok(out)
}

fn one<'a>(value: &'a Value, step: &Step) -> Result<Vec<&'a Value>, String> {
    match step {
        Step::Key(key) => match value.get(key) {
            Some(found) => Ok(vec![found]),
            None => Err(format!("{key} is not found")),
        },
        Step::Index(index) => {
            let list = list(value)?;
            let place = from_end(*index, list.len());
            let found = usize::try_from(place).ok().and_then(|i| list.get(i));
            let found = found.ok_or_else(|| format!("array index out of bounds: index {index}"))?;
            Ok(vec![found])
        }
        Step::Slice(from, to) => {
            let list = list(value)?;
            let length = list.len();
            let place = |at: Option<i64>, default| at.map_or(default, |i| from_end(i, length));
            let end = length as i64;
            let from = place(*from, 0).clamp(0, end);
            let to = place(*to, end).clamp(from, end);
            Ok(list[from as usize..to as usize].iter().collect())
        }
        Step::Wildcard => Ok(children(value)),
        Step::Recursive => {
            let mut all = Vec::new();
            descend(value, &mut all);
            Ok(all)
        }
        Step::Filter(path, compare, wanted) => filter(list(value)?, path, *compare, wanted),
    }
}

fn filter<'a>(
    list: &'a [Value],
    path: &[Step],
    compare: Compare,
    wanted: &Value,
) -> Result<Vec<&'a Value>, String> {
    let mut out = Vec::new();
    for item in list {
        if item.is_null() {
            return Err("filter over null".to_owned());
        }
        let mut values = vec![item];
        for step in path {
            values = advance(&values, step, true)?;
        }
        let Some(left) = values.first() else {
            continue;
        };
        let equal = match (left.as_f64(), wanted.as_f64()) {
            (Some(a), Some(b)) => a == b,
            _ => *left == wanted,
        };
        if equal == matches!(compare, Compare::Equal) {
            out.push(item);
        }
    }
    Ok(out)
}

fn list(value: &Value) -> Result<&[Value], String> {
    value
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| "is not array or slice".to_owned())
}

fn from_end(index: i64, length: usize) -> i64 {
    if index < 0 {
        index + length as i64
    } else {
        index
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    }
}

fn descend<'a>(value: &'a Value, all: &mut Vec<&'a Value>) {
    all.push(value);
    for child in children(value) {
        descend(child, all);
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    fn steps(mut self) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        self.rest = self.rest.trim();
        self.rest = self.rest.strip_prefix(['$', '@']).unwrap_or(self.rest);
        while !self.rest.is_empty() {
            if let Some(rest) = self.rest.strip_prefix("..") {
                steps.push(Step::Recursive);
                self.rest = rest;
                if !rest.starts_with('[') {
                    steps.push(self.name());
                }
            } else if let Some(rest) = self.rest.strip_prefix('.') {
                self.rest = rest;
                steps.push(self.name());
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                self.rest = rest;
                steps.push(self.bracket()?);
            } else {
                return Err(format!("unrecognized character in action: {}", self.rest));
            }
        }
        Ok(steps)
    }

    /// A bare name; `\.` is a dot in it.
    fn name(&mut self) -> Step {
        let mut name = String::new();
        let mut chars = self.rest.char_indices();
        let end = loop {
            match chars.next() {
                Some((_, '\\')) => name.extend(chars.next().map(|(_, c)| c)),
                Some((i, '.' | '[')) => break i,
                Some((_, c)) => name.push(c),
                None => break self.rest.len(),
            }
        };
        self.rest = &self.rest[end..];
        if name == "*" {
            Step::Wildcard
        } else {
            Step::Key(name)
        }
    }

    fn bracket(&mut self) -> Result<Step, String> {
        let end = self.closing().ok_or("unterminated array")?;
        let inside = self.rest[..end].trim();
        self.rest = &self.rest[end + 1..];
        if let Some(condition) = inside.strip_prefix("?(").and_then(|c| c.strip_suffix(')')) {
            return filter_step(condition);
        }
        if inside == "*" {
            return Ok(Step::Wildcard);
        }
        if let Some(name) = unquoted(inside) {
            return Ok(Step::Key(name.to_owned()));
        }
        let number = |text: &str| match text.trim() {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| format!("invalid array index {text}")),
        };
        match inside.split_once(':') {
            Some((from, to)) => Ok(Step::Slice(number(from)?, number(to)?)),
            None => Ok(Step::Index(number(inside)?.ok_or("empty array index")?)),
        }
    }

    /// The `]` that ends this bracket, outside quotes.
    fn closing(&self) -> Option<usize> {
        let mut quote = None;
        for (i, c) in self.rest.char_indices() {
            match (quote, c) {
                (None, '\'' | '"') => quote = Some(c),
                (Some(q), c) if q == c => quote = None,
                (None, ']') => return Some(i),
                _ => {}
            }
        }
        None
    }
}

fn filter_step(condition: &str) -> Result<Step, String> {
    let (sign, compare) = [("==", Compare::Equal), ("!=", Compare::NotEqual)]
        .into_iter()
        .find(|(sign, _)| condition.contains(sign))
        .ok_or("unrecognized filter")?;
    let (left, right) = condition.split_once(sign).unwrap_or_default();
    let right = right.trim();
    let wanted = match unquoted(right) {
        Some(text) => Value::String(text.to_owned()),
        None => serde_json::from_str(right).map_err(|e| format!("filter: {e}"))?,
    };
    Ok(Step::Filter(
        Reader::new(left.trim()).steps()?,
        compare,
        wanted,
    ))
}

fn unquoted(text: &str) -> Option<&str> {
    ['\'', '"']
        .into_iter()
        .find_map(|q| text.strip_prefix(q)?.strip_suffix(q))
}
