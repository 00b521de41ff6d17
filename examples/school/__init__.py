"""A seeded generator of a school company's tables: what the pipeline reads, at any size, dirt included.

The tables are those of the homework job (``sql/schema/``) and, as text like HBase gives it, of the ads job. What
teachers set and what users click follow a law with known effects, each of which can be switched off, so that a policy
can be shown to work where its effect is planted and not to where it is not. It is no benchmark of quality.
"""
