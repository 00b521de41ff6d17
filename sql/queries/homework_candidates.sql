-- Packages that exist.
SELECT chapter_id, section_id, style, reflect_id, section_rank
FROM homework_candidates
