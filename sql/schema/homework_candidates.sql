-- Packages that exist, by base chapter; section_rank orders a chapter's packages, 1 first. Not dated.
CREATE TABLE homework_candidates (
    chapter_id VARCHAR(255) NOT NULL,
    section_id VARCHAR(4000) NOT NULL,
    style VARCHAR(255),
    reflect_id VARCHAR(255),
    section_rank BIGINT
);
CREATE INDEX homework_candidates_chapter ON homework_candidates (chapter_id);
