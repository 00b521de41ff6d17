-- The base chapter and section of each chapter and section; base_section_id -1 = there is none. Not dated.
CREATE TABLE base_chapter_map (
    chapter_id BIGINT NOT NULL,
    section_id BIGINT NOT NULL,
    base_chapter_id BIGINT NOT NULL,
    base_section_id BIGINT NOT NULL,
    PRIMARY KEY (chapter_id, section_id)
);
