-- Base chapter and section of each chapter and section.
SELECT chapter_id, section_id, base_chapter_id, base_section_id
FROM base_chapter_map
