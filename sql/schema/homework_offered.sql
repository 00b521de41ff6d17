-- The packages offered to a class on a day; cnt = how often each was really set.
CREATE TABLE homework_offered (
    day VARCHAR(10) NOT NULL,
    teacher_id VARCHAR(32),
    class_id VARCHAR(32),
    chapter_id VARCHAR(4000),
    section_id VARCHAR(4000),
    style VARCHAR(255),
    cnt VARCHAR(32)
);
CREATE INDEX homework_offered_day ON homework_offered (day);
