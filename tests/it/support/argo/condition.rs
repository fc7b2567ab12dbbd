//! Conditions: the part of the expr language that templates use. Whatever does not fit by type is an error, never `false`:
//! stricter than the engine, which lets some mismatches inside maps pass, because our answers must not depend on that.

use super::{
    lexer::{Token, tokens},
    value::Value,
};
use serde_json::Value as Json;

/// A parsed condition.
#[derive(Debug)]
pub struct Condition(Expr);

#[derive(Debug)]
enum Expr {
    Literal(Value),
    List(Vec<Expr>),
    Result,
    /// `#`
    Item,
    Member(Box<Expr>, String, Optional),
    Index(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Call(String, Vec<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Optional {
    No,
    Yes,
}

/// Weakest first; all bind to the left.
const LEVELS: [&[&str]; 4] = [
    &["||"],
    &["&&"],
    &["==", "!=", "<", ">", "<=", ">=", "in"],
    &["??"],
];

const FUNCTIONS: [&str; 8] = [
    "asInt", "asFloat", "isNaN", "isInf", "isNil", "default", "any", "all",
];

impl Condition {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser {
            tokens: tokens(text)?,
            at: 0,
        };
        let expr = parser.binary(0)?;
        match parser.peek() {
            None => Ok(Self(expr)),
            Some(token) => Err(format!("unexpected {token:?} in {text}")),
        }
    }

    /// Must be a bool, as in Argo Rollouts.
    pub fn holds(&self, result: &Json) -> Result<bool, String> {
        let scope = Scope {
            result: &result.into(),
            item: None,
        };
        scope.value(&self.0)?.truth()
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Result<Token, String> {
        let token = self.peek().cloned().ok_or("unexpected end")?;
        self.at += 1;
        Ok(token)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(s)) if *s == sign);
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, sign: &str) -> Result<(), String> {
        if self.take(sign) {
            return Ok(());
        }
        Err(format!("expected {sign}, found {:?}", self.peek()))
    }

    fn operator(&self, level: usize) -> Option<&'static str> {
        LEVELS[level].iter().copied().find(|op| match self.peek() {
            Some(Token::Sign(sign)) => sign == op,
            Some(Token::Name(name)) => name == op,
            _ => false,
        })
    }

    fn binary(&mut self, level: usize) -> Result<Expr, String> {
        if level == LEVELS.len() {
            return self.unary();
        }
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(level) {
            self.at += 1;
            let right = self.binary(level + 1)?;
            left = Expr::Binary(operator, left.into(), right.into());
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, String> {
        if self.take("!") {
            return Ok(Expr::Not(self.unary()?.into()));
        }
        if self.take("-") {
            return Ok(Expr::Negative(self.unary()?.into()));
        }
        let mut expr = self.primary()?;
        loop {
            if self.take(".") {
                expr = Expr::Member(expr.into(), self.name()?, Optional::No);
            } else if self.take("?.") {
                expr = Expr::Member(expr.into(), self.name()?, Optional::Yes);
            } else if self.take("[") {
                let index = self.binary(0)?;
                self.need("]")?;
                expr = Expr::Index(expr.into(), index.into());
            } else {
                return Ok(expr);
            }
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Name(name) => Ok(name),
            other => Err(format!("expected a name, found {other:?}")),
        }
    }

    fn primary(&mut self) -> Result<Expr, String> {
        match self.next()? {
            Token::Number(number) => Ok(Expr::Literal(Value::Number(number))),
            Token::Text(text) => Ok(Expr::Literal(Value::Text(text))),
            Token::Sign("(") => {
                let inner = self.binary(0)?;
                self.need(")")?;
                Ok(inner)
            }
            Token::Sign("[") => Ok(Expr::List(self.until("]")?)),
            Token::Sign("#") => Ok(Expr::Item),
            // inside a closure `.v` is `#.v`
            Token::Sign(".") => Ok(Expr::Member(Expr::Item.into(), self.name()?, Optional::No)),
            Token::Name(name) => self.named(name),
            Token::Sign(other) => Err(format!("unexpected {other}")),
        }
    }

    fn named(&mut self, name: String) -> Result<Expr, String> {
        match name.as_str() {
            "result" => Ok(Expr::Result),
            "true" => Ok(Expr::Literal(Value::Bool(true))),
            "false" => Ok(Expr::Literal(Value::Bool(false))),
            "nil" => Ok(Expr::Literal(Value::Nil)),
            known if FUNCTIONS.contains(&known) => {
                self.need("(")?;
                Ok(Expr::Call(name, self.until(")")?))
            }
            other => Err(format!("unknown name {other}")),
        }
    }

    /// Items up to the closing sign; `{...}` is a closure.
    fn until(&mut self, close: &str) -> Result<Vec<Expr>, String> {
        let mut items = Vec::new();
        while !self.take(close) {
            if self.take("{") {
                items.push(self.binary(0)?);
                self.need("}")?;
            } else {
                items.push(self.binary(0)?);
            }
            if !self.take(",") {
                self.need(close)?;
                break;
            }
        }
        Ok(items)
    }
}

struct Scope<'a> {
    result: &'a Value,
    item: Option<&'a Value>,
}

impl Scope<'_> {
    fn value(&self, expr: &Expr) -> Result<Value, String> {
        match expr {
            Expr::Literal(value) => Ok(value.clone()),
            Expr::List(items) => {
                let items: Result<Vec<Value>, String> =
                    items.iter().map(|item| self.value(item)).collect();
                Ok(Value::List(items?))
            }
            Expr::Result => Ok(self.result.clone()),
            Expr::Item => self
                .item
                .cloned()
                .ok_or("# outside of a closure".to_owned()),
            Expr::Member(of, name, optional) => match self.value(of)? {
                Value::Nil if *optional == Optional::Yes => Ok(Value::Nil),
                value => value.member(name),
            },
            Expr::Index(of, index) => self.value(of)?.item(&self.value(index)?),
            Expr::Not(inner) => Ok(Value::Bool(!self.value(inner)?.truth()?)),
            Expr::Negative(inner) => Ok(Value::Number(-self.value(inner)?.number()?)),
            Expr::Binary(operator, left, right) => self.binary(operator, left, right),
            Expr::Call(name, arguments) => self.call(name, arguments),
        }
    }

    fn binary(&self, operator: &str, left: &Expr, right: &Expr) -> Result<Value, String> {
        let a = self.value(left)?;
        match operator {
            "&&" if !a.truth()? => return Ok(Value::Bool(false)),
            "||" if a.truth()? => return Ok(Value::Bool(true)),
            "??" if a != Value::Nil => return Ok(a),
            _ => {}
        }
        let b = self.value(right)?;
        let found = match operator {
            "??" => return Ok(b),
            "&&" | "||" => b.truth()?,
            "==" => a.equals(&b)?,
            "!=" => !a.equals(&b)?,
            "<" => a.less(&b)?,
            ">" => b.less(&a)?,
            // not the negation: NaN is neither
            "<=" => a.less(&b)? || a == b,
            ">=" => b.less(&a)? || a == b,
            _ => contains(&b, &a)?,
        };
        Ok(Value::Bool(found))
    }

    fn call(&self, name: &str, arguments: &[Expr]) -> Result<Value, String> {
        let argument = |i: usize| {
            let expr = arguments.get(i);
            expr.ok_or_else(|| format!("not enough arguments to call {name}"))
        };
        Ok(match name {
            "asInt" => Value::Number(self.value(argument(0)?)?.as_float()?.trunc()),
            "asFloat" => Value::Number(self.value(argument(0)?)?.as_float()?),
            "isNaN" => Value::Bool(self.value(argument(0)?)?.number()?.is_nan()),
            "isInf" => Value::Bool(self.value(argument(0)?)?.number()?.is_infinite()),
            // these two look at the whole result, whatever they are given
            "isNil" => Value::Bool(*self.result == Value::Nil),
            "default" if *self.result == Value::Nil => self.value(argument(1)?)?,
            "default" => self.result.clone(),
            _ => Value::Bool(self.each(name == "any", argument(0)?, argument(1)?)?),
        })
    }

    /// `any` and `all`.
    fn each(&self, any: bool, list: &Expr, closure: &Expr) -> Result<bool, String> {
        let Value::List(items) = self.value(list)? else {
            return Err("builtin takes only lists".to_owned());
        };
        for item in &items {
            let scope = Scope {
                result: self.result,
                item: Some(item),
            };
            if scope.value(closure)?.truth()? == any {
                return Ok(any);
            }
        }
        Ok(!any)
    }
}

fn contains(list: &Value, item: &Value) -> Result<bool, String> {
    let Value::List(items) = list else {
        return Err(format!("cannot use in with {}", list.kind()));
    };
    for other in items {
        if item.equals(other)? {
            return Ok(true);
        }
    }
    Ok(false)
}
