//! Diagnostics as rustc shows them.

use super::diagnostic::Problems;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, renderer::DecorStyle};

/// Without colours, for logs and pipes.
pub(super) fn plain(problems: &Problems) -> String {
    render(problems, &Renderer::plain().decor_style(DecorStyle::Ascii))
}

/// With colours, for terminals.
pub(super) fn styled(problems: &Problems) -> String {
    render(problems, &Renderer::styled().decor_style(DecorStyle::Ascii))
}

fn render(problems: &Problems, renderer: &Renderer) -> String {
    let blocks: Vec<String> = problems
        .diagnostics
        .iter()
        .map(|found| {
            let mut title = Group::with_title(
                Level::ERROR
                    .primary_title(&found.message)
                    .id(found.code.as_str()),
            );
            if problems.text.is_empty() {
                title = title.element(
                    annotate_snippets::Origin::path(&found.file)
                        .line(1)
                        .char_column(1),
                );
            } else {
                let mark = AnnotationKind::Primary
                    .span(found.span.clone())
                    .label(&found.label);
                title = title.element(
                    Snippet::source(&problems.text)
                        .path(&found.file)
                        .annotation(mark),
                );
            }
            renderer.render(&[title.element(Level::HELP.message(&found.help))])
        })
        .collect();
    let mut text = blocks.join("\n\n");
    text.push('\n');
    text
}
