//! Words of a condition.

/// One word.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    Name(String),
    Number(f64),
    Text(String),
    Sign(&'static str),
}

/// Longest first.
const SIGNS: [&str; 24] = [
    "==", "!=", ">=", "<=", "&&", "||", "?.", "??", "(", ")", "[", "]", "{", "}", ",", ".", "#",
    ">", "<", "!", "-", "+", "*", "/",
];

pub fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let (token, length) = if c == '"' || c == '\'' {
            let end = rest[1..].find(c).ok_or("unclosed string")?;
            (Token::Text(rest[1..=end].to_owned()), end + 2)
        } else if c.is_ascii_digit() {
            let length = number(rest);
            let value = rest[..length].parse();
            let value = value.map_err(|_| format!("bad number {}", &rest[..length]))?;
            (Token::Number(value), length)
        } else if c.is_alphabetic() || c == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            let length = end.unwrap_or(rest.len());
            (word(&rest[..length]), length)
        } else {
            let sign = SIGNS.iter().find(|s| rest.starts_with(**s));
            let sign = sign.ok_or_else(|| format!("unrecognized character {c}"))?;
            (Token::Sign(sign), sign.len())
        };
        out.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(out)
}

fn word(text: &str) -> Token {
    match text {
        "and" => Token::Sign("&&"),
        "or" => Token::Sign("||"),
        "not" => Token::Sign("!"),
        name => Token::Name(name.to_owned()),
    }
}

fn number(text: &str) -> usize {
    let mut before = ' ';
    let end = text.find(|c: char| {
        let fits = c.is_ascii_digit()
            || matches!(c, '.' | 'e' | 'E')
            || (matches!(c, '-' | '+') && matches!(before, 'e' | 'E'));
        before = c;
        !fits
    });
    end.unwrap_or(text.len())
}
